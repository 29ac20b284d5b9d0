package io.doorbell.tools.lab;

import io.doorbell.frame.MacAddress;
import io.doorbell.qemu.guest.GuestMachineBuilder;
import io.doorbell.qemu.link.Wire;

/**
 * A NIC for Doorbell in a virtual machine. Two others share its wire: a NIC for the kernel's driver, and a peer in the
 * JVM that started the machine.
 *
 * @param driver that is to drive it
 * @param model QEMU's name for it, perhaps with properties
 * @param wire a number that no other NIC of the machine has
 * @param queues how many it has each way on such a wire, that a demo uses: QEMU has one for virtio there
 */
public record LabNic(String driver, String model, int wire, int queues) {

    /** Plugs in the NIC, then the kernel's, then the peer. */
    public GuestMachineBuilder plugInto(GuestMachineBuilder builder) {
        return builder.nic(model, mac(), hub())
                .nic("virtio-net-pci", kernelMac(), hub())
                .peer(hub());
    }

    public Wire.Hub hub() {
        return Wire.hub(wire);
    }

    public String mac() {
        return mac(1);
    }

    public String kernelMac() {
        return mac(2);
    }

    public MacAddress peerMac() {
        return MacAddress.parse(mac(3));
    }

    /** Locally administered. */
    private String mac(int station) {
        return String.format("52:54:00:00:%02x:%02x", wire, station);
    }
}
