package io.doorbell.pci;

/**
 * The PCI Express link to a function, not the network's: speeds as Linux writes them, such as {@code 5.0 GT/s PCIe}.
 *
 * @param width lanes in use
 * @param maxWidth lanes that there are
 */
public record PciLink(String speed, int width, String maxSpeed, int maxWidth) {}
