package io.doorbell.tools.lab;

import io.doorbell.qemu.guest.GuestMachine;

/** The NICs of {@code nicctl lab} and {@code nicctl demo}. */
public final class Lab {

    public static final LabNic IGB = new LabNic("igb", "igb", 0, 2);
    public static final LabNic VIRTIO = new LabNic("virtio", "virtio-net-pci", 1, 1);

    private Lab() {}

    /** Loads the drivers of the kernel's for both NICs, and those that give NICs to user space. */
    public static void loadDrivers(GuestMachine guest) {
        // VFIO's IOMMU driver is no dependency of vfio-pci, so it is named besides.
        guest.load("igb", "virtio_net", "vfio-pci", "vfio_iommu_type1");
    }
}
