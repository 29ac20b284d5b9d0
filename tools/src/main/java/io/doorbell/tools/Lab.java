package io.doorbell.tools;

import io.doorbell.qemu.GuestMachine;
import io.doorbell.qemu.Wire;
import java.time.Duration;

/** Who is on the wire of {@code nicctl lab} and {@code nicctl demo}. */
final class Lab {

    static final Wire.Hub HUB = Wire.hub(0);

    /** Locally administered addresses. */
    static final String IGB_MAC = "52:54:00:00:00:01";

    static final String KERNEL_MAC = "52:54:00:00:00:02";
    static final String PEER_MAC = "52:54:00:00:00:03";

    private static final Duration MODPROBE = Duration.ofSeconds(60);

    private Lab() {}

    /** Loads the drivers of the kernel's for both NICs, and those that give NICs to user space. */
    static void loadDrivers(GuestMachine guest) {
        // busybox's modprobe does not know of soft dependencies, so what VFIO needs is named in full.
        guest.run(MODPROBE, "modprobe", "-a", "igb", "virtio_net", "vfio-pci", "vfio_iommu_type1")
                .orThrow();
    }
}
