/** Which frames a port receives, and into which queue it puts them. */
package io.doorbell.igb.filter;
