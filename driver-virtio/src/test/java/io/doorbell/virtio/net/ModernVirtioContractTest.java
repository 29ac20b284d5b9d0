package io.doorbell.virtio.net;

import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.virtio.transport.ModernPciTransport;

/** QEMU's virtio-net by its modern interface. */
class ModernVirtioContractTest extends QemuContract {

    ModernVirtioContractTest() {
        super("disable-legacy=on");
    }

    @Override
    protected Nic openNic(NicConfig config) {
        return VirtioNic.open(name(), new ModernPciTransport(machine.open(0)), config);
    }
}
