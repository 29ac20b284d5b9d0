package io.doorbell.tools.demo;

import io.doorbell.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.tools.host.KernelCounters;
import io.doorbell.tools.host.Program;
import java.net.NetworkInterface;
import java.net.SocketException;

/**
 * The kernel's own stack at the other end of the wire, on an interface that is up as long as this is open. Addresses are of a
 * network that is kept for examples (RFC 5737).
 */
final class KernelStation implements AutoCloseable {

    private static final String IP = GuestMachine.tool("ip");

    static final String ADDRESS = "192.0.2.1";
    static final int ADDRESS_BITS = 0xc000_0201;

    /** That of the NIC which the kernel talks to. */
    static final String OTHER_ADDRESS = "192.0.2.2";

    static final int OTHER_ADDRESS_BITS = 0xc000_0202;

    private final String netInterface;

    KernelStation(String netInterface) {
        this.netInterface = netInterface;
        Program.run(IP, "address", "flush", "dev", netInterface);
        Program.run(IP, "address", "add", ADDRESS + "/24", "dev", netInterface);
        Program.run(IP, "link", "set", netInterface, "up");
    }

    String netInterface() {
        return netInterface;
    }

    /** Frames that have come to the interface, before the stack puts any together. */
    long received() {
        return KernelCounters.of(PciBus.system(), netInterface).getOrDefault("rx_packets", 0L);
    }

    MacAddress mac() {
        try {
            NetworkInterface found = NetworkInterface.getByName(netInterface);
            byte[] bytes = found == null ? null : found.getHardwareAddress();
            if (bytes == null) {
                throw new DoorbellException(netInterface + " has no hardware address");
            }
            long value = 0;
            for (byte each : bytes) {
                value = (value << 8) | (each & 0xff);
            }
            return new MacAddress(value);
        } catch (SocketException e) {
            throw new DoorbellException("cannot find " + netInterface + ": " + e.getMessage(), e);
        }
    }

    /** Takes the interface down, so that nothing comes from it any more. */
    @Override
    public void close() {
        Program.run(IP, "link", "set", netInterface, "down");
    }
}
