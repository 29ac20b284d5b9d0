package io.doorbell.virtio.net;

import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.virtio.transport.ModernPciTransport;

/** QEMU's virtio-net with packed rings, and with all abilities that it has on request. */
class PackedVirtioContractTest extends QemuContract {

    PackedVirtioContractTest() {
        super("disable-legacy=on", "packed=on", "rss=on", "hash=on");
    }

    @Override
    protected Nic openNic(NicConfig config) {
        return VirtioNic.open(name(), new ModernPciTransport(machine.open(0)), config.withAnnouncements(true));
    }
}
