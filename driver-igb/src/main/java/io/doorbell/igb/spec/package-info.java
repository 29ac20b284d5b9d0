/** What the data sheet fixes: the registers with their fields, and where the members of the family differ. */
package io.doorbell.igb.spec;
