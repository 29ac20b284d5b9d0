/** A function whose registers are memory: what a driver is warmed up with. */
package io.doorbell.pci.simulated;
