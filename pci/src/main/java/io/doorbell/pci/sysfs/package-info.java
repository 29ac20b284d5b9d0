/**
 * PCI functions opened through the files of sysfs (Linux: Documentation/PCI/sysfs-pci.rst), with nothing between a
 * device and memory: for devices that no IOMMU stands in front of.
 */
package io.doorbell.pci.sysfs;
