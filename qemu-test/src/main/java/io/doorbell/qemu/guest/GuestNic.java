package io.doorbell.qemu.guest;

import io.doorbell.pci.PciAddress;
import io.doorbell.qemu.link.Wire;

/**
 * A NIC of a guest.
 *
 * @param index counts the guest's NICs, from 0
 * @param model QEMU's name for it, perhaps with properties
 * @param mac its address, as {@code 52:54:00:12:34:56}
 * @param wire where its cable leads
 * @param address where it is on the guest's PCI bus
 */
public record GuestNic(int index, String model, String mac, Wire wire, PciAddress address) {

    /** The model without properties, {@code virtio-net-pci} for example; QMP's {@code device_add} calls it driver. */
    public String driver() {
        return model.split(",", 2)[0];
    }

    /** Its id for QMP's {@code device_del} and {@code set_link}. */
    public String id() {
        return "nic" + index;
    }

    /** The id of the PCIe port that it is plugged into: the {@code bus} for QMP's {@code device_add}. */
    public String port() {
        return "port" + index;
    }

    /** The id of its cable: the {@code netdev} for QMP's {@code device_add}. */
    public String netdev() {
        return "net" + index;
    }
}
