/** The LEDs beside a port. */
package io.doorbell.igb.led;
