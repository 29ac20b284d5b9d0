/** The descriptor rings, in which the device and the polling threads meet. */
package io.doorbell.igb.ring;
