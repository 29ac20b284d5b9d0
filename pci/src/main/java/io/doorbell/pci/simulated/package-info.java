/** A function whose registers are memory: what a driver is warmed up with. */
@NullMarked
package io.doorbell.pci.simulated;

import org.jspecify.annotations.NullMarked;
