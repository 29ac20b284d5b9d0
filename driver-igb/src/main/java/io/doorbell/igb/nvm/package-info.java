/** The memory that the device loads its defaults from. */
package io.doorbell.igb.nvm;
