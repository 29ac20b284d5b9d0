package io.doorbell.pci;

/**
 * How many interrupts a function can raise, by kind; 0 where it has none of the kind.
 *
 * @param intx 0 or 1
 * @param msi messages, 0 to 32
 * @param msix vectors, 0 to 2048
 */
public record InterruptInfo(int intx, int msi, int msix) {}
