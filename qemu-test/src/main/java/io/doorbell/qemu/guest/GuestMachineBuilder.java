package io.doorbell.qemu.guest;

import io.doorbell.pci.PciAddress;
import io.doorbell.qemu.QemuException;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.link.Wire;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Describes a guest: its size, its NICs and where their cables lead. */
public final class GuestMachineBuilder {

    private int memoryMiB = 2048;
    private int cpus = 2;
    private int hugePages;
    private boolean terminal;
    private boolean instructionClock;
    private final List<GuestNic> nics = new ArrayList<>();
    private final List<Wire> peers = new ArrayList<>();
    private final Map<Integer, Path> captures = new TreeMap<>();
    private final List<String> more = new ArrayList<>();

    GuestMachineBuilder() {}

    /** 2048 unless told. */
    public GuestMachineBuilder memoryMiB(int size) {
        memoryMiB = size;
        return this;
    }

    /** 2 unless told. */
    public GuestMachineBuilder cpus(int count) {
        cpus = count;
        return this;
    }

    /** Reserves hugepages of 2 MiB at boot; none unless told. */
    public GuestMachineBuilder hugePages(int count) {
        hugePages = count;
        return this;
    }

    /** Lends this JVM's terminal to the guest's console, for {@link GuestMachine#shell}. */
    public GuestMachineBuilder terminal() {
        terminal = true;
        return this;
    }

    /**
     * Has the guest's clocks count instructions: one nanosecond, and one tick of the TSC, passes for each that a processor
     * of its executes, and none while a device works. When all processors wait, time jumps to what they wait for. QEMU
     * emulates one processor after the other then, never with KVM, so such a guest is slow.
     */
    public GuestMachineBuilder instructionClock() {
        instructionClock = true;
        return this;
    }

    /**
     * Adds a NIC behind a PCIe port of its own, hence in an IOMMU group of its own, and hot-pluggable.
     *
     * @param model QEMU's name, perhaps with properties: {@code igb}, {@code virtio-net-pci,packed=on}
     * @param mac as {@code 52:54:00:12:34:56}
     */
    public GuestMachineBuilder nic(String model, String mac, Wire wire) {
        if (wire instanceof Wire.Cable) {
            addPeer(wire);
        }
        // The firmware numbers the buses behind the ports in the order of their slots, from 1 on.
        PciAddress address = new PciAddress(0, nics.size() + 1, 0, 0);
        nics.add(new GuestNic(nics.size(), model, mac, wire, address));
        return this;
    }

    /** Plugs a {@link FramePeer} into a hub, beside the NICs that are there. */
    public GuestMachineBuilder peer(Wire.Hub hub) {
        addPeer(hub);
        return this;
    }

    private void addPeer(Wire wire) {
        if (peers.contains(wire)) {
            throw new IllegalArgumentException(wire + " has a peer at its other end already");
        }
        peers.add(wire);
    }

    /** Has QEMU record what the NIC of that index sends and receives, in a file that tcpdump and Wireshark read. */
    public GuestMachineBuilder capture(int nic, Path pcap) {
        if (nic < 0 || nic >= nics.size()) {
            throw new IllegalArgumentException("no NIC " + nic + " to capture: there are " + nics.size() + " so far");
        }
        captures.put(nic, pcap);
        return this;
    }

    /** Adds arguments to QEMU's command line as they are. */
    public GuestMachineBuilder qemu(String... arguments) {
        more.addAll(List.of(arguments));
        return this;
    }

    /**
     * Boots the guest and returns when it takes commands.
     *
     * @throws QemuException if QEMU, a NIC's model or the guest's kernel is missing, or if the guest does not come up in
     *     time; the message says how to get the one, and shows the console for the other
     */
    public GuestMachine start() {
        return GuestMachine.boot(spec());
    }

    GuestSpec spec() {
        return new GuestSpec(memoryMiB, cpus, hugePages, terminal, instructionClock, nics, peers, captures, more);
    }
}
