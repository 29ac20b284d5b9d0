/** PCI functions: discovery, config space, capabilities, BARs; opened through VFIO. */
package io.doorbell.pci;
