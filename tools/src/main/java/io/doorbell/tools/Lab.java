package io.doorbell.tools;

import io.doorbell.qemu.GuestMachine;
import java.time.Duration;

/** The NICs of {@code nicctl lab} and {@code nicctl demo}. */
final class Lab {

    static final LabNic IGB = new LabNic("igb", "igb", 0);
    static final LabNic VIRTIO = new LabNic("virtio", "virtio-net-pci", 1);

    private static final Duration MODPROBE = Duration.ofSeconds(60);

    private Lab() {}

    /** Loads the drivers of the kernel's for both NICs, and those that give NICs to user space. */
    static void loadDrivers(GuestMachine guest) {
        // busybox's modprobe does not know of soft dependencies, so what VFIO needs is named in full.
        guest.run(MODPROBE, "modprobe", "-a", "igb", "virtio_net", "vfio-pci", "vfio_iommu_type1")
                .orThrow();
    }
}
