/**
 * PCI functions opened through VFIO (Linux: Documentation/driver-api/vfio.rst, include/uapi/linux/vfio.h).
 *
 * <p>Three kinds of files make up VFIO's door. A <em>container</em> ({@code /dev/vfio/vfio}) is an address space of the
 * IOMMU: what is mapped there is what devices reach. A <em>group</em> ({@code /dev/vfio/12}) is the smallest set of
 * functions that the IOMMU can tell from others, and joins a container as a whole. A <em>device</em> is one function of
 * the group; its descriptor comes from the group, and holds the function's regions (BARs, configuration space) at
 * offsets of one file.
 *
 * <p>The reading path is {@link io.doorbell.pci.vfio.Vfio}, {@code VfioGroup}, {@code VfioContainer},
 * {@code VfioFunction}, {@code RegionBar}.
 */
package io.doorbell.pci.vfio;
