package io.doorbell.virtio.net;

import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.virtio.transport.LegacyPciTransport;

/** QEMU's virtio-net by its legacy interface. */
class LegacyVirtioContractTest extends QemuContract {

    LegacyVirtioContractTest() {
        super("disable-modern=on", "disable-legacy=off");
    }

    @Override
    protected Nic openNic(NicConfig config) {
        return VirtioNic.open(name(), new LegacyPciTransport(machine.open(0)), config);
    }
}
