/** PCI functions: discovery, config space, capabilities, BARs; opened through VFIO or sysfs. */
package io.doorbell.pci;
