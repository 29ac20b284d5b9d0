/** The clock of the device, and its time stamps (82576 data sheet, 7.9 and 8.16). */
package io.doorbell.igb.clock;
