/** A virtual function of a port that the kernel keeps: its registers, and the mailbox by which it asks the port for the rest. */
package io.doorbell.igb.vf;
