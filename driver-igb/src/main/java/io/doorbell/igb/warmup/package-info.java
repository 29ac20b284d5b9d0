/** A simulated igb for the warm-up: registers and rings in memory, and a device that plays along. */
package io.doorbell.igb.warmup;
