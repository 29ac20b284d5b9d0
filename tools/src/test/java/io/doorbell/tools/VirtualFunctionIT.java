package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.waiting.QueueWaiter;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestProcess;
import io.doorbell.qemu.guest.GuestResult;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.tools.GuestScript.Outcome;
import io.doorbell.tools.lab.JavaOptions;
import io.doorbell.tools.lab.Lab;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A virtual function in a guest whose kernel keeps the port: its driver, igb, is at the other end of the mailbox, and QEMU's
 * model between the two.
 */
@Tag("guest")
@Timeout(900)
class VirtualFunctionIT {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int ETHERTYPE = 0x88b5;

    private static final int VLAN = 7;
    private static final int OTHER_VLAN = 8;
    private static final int LENGTH = 100;

    private static final String PORT = "0000:01:00.0";
    private static final String FUNCTION = "0000:01:10.0";
    private static final MacAddress STATION = MacAddress.parse("52:54:00:00:0f:01");
    private static final MacAddress SECOND = MacAddress.parse("52:54:00:00:0f:02");
    private static final MacAddress GROUP = MacAddress.parse("01:00:5e:00:00:fb");
    private static final MacAddress OTHER_GROUP = MacAddress.parse("01:00:5e:00:12:34");
    private static final MacAddress STRANGER = MacAddress.parse("52:54:00:00:0f:77");

    /** In the place of a number: the guest is to end. */
    private static final int END = -1;

    private int number;

    @Test
    void movesFramesBesideTheKernelAndSurvivesTheResetOfItsPort() {
        try (GuestMachine guest = Lab.IGB.plugInto(GuestMachine.builder()).start()) {
            Lab.loadDrivers(guest);
            port(guest, "down");
            guest.run(GuestMachine.tool("sh"), "-c", "echo 1 > /sys/bus/pci/devices/" + PORT + "/sriov_numvfs")
                    .orThrow();
            assertThatItOpensOnceThePortIsUp(guest);

            GuestProcess echo =
                    guest.spawn(GuestMachine.java(JavaOptions.GUEST, VirtualFunctionIT.class.getName(), FUNCTION));
            echo.awaitLine("refused: ", PATIENCE);
            echo.awaitLine("link: up", PATIENCE);
            FramePeer peer = guest.peer(Lab.IGB.hub());
            assertThatItReceivesWhatItAskedFor(peer);

            port(guest, "down");
            echo.awaitLine("link: down", PATIENCE);
            port(guest, "up");
            echo.awaitLine("link: up again", PATIENCE);
            assertThatItReceivesWhatItAskedFor(peer);

            send(peer, frame(STATION, 0, END));
            GuestResult result = echo.await(PATIENCE).orThrow();
            assertThat(result.stdout())
                    .contains("model: Intel 82576 virtual function")
                    .contains("refused: the port of " + FUNCTION + " refuses the frames for all unicast addresses")
                    .containsPattern("counted: \\d+ received, " + number + " sent");
            assertThat(result.stderr()).doesNotContain("Exception");
        }
    }

    private static void port(GuestMachine guest, String state) {
        guest.run(GuestMachine.tool("sh"), "-c", "PATH=" + GuestMachine.TOOLS + "; " + portTo(state))
                .orThrow();
    }

    private static String portTo(String state) {
        return "ip link set dev $(ls /sys/bus/pci/devices/" + PORT + "/net) " + state;
    }

    private static void assertThatItOpensOnceThePortIsUp(GuestMachine guest) {
        List<Outcome> outcomes = GuestScript.outcomes(guest.run(
                        PATIENCE,
                        GuestMachine.java(
                                JavaOptions.GUEST,
                                GuestScript.class.getName(),
                                "bind " + FUNCTION,
                                "list",
                                "info " + FUNCTION,
                                "$ " + portTo("up"),
                                "info " + FUNCTION,
                                "regs --filter VFG " + FUNCTION))
                .orThrow()
                .stdout());
        assertThat(outcomes).hasSize(5);
        assertThat(outcomes.get(0).status()).as("%s", outcomes.get(0)).isZero();
        assertThat(outcomes.get(1).out().lines())
                .anyMatch(line -> line.matches(FUNCTION + " +8086:10ca .* vfio-pci .*igb"));
        assertThat(outcomes.get(2).out())
                .contains("the port of " + FUNCTION + " does not answer", "ip link set dev PORT up");
        assertThat(outcomes.get(3).out())
                .containsPattern("opened +as Intel 82576 virtual function")
                .containsPattern("link +up, 1000 Mb/s, full duplex")
                .containsPattern("interrupts +MSI-X: 3");
        assertThat(outcomes.get(4).out()).containsPattern("\nVFGPRC +0x00f10 +0x[0-9a-f]{8}");
    }

    /** Each frame that it should get has one before it that it should not; what it gets is sent back, in order. */
    private void assertThatItReceivesWhatItAskedFor(FramePeer peer) {
        for (int round = 0; round < 20; round++) {
            assertEcho(peer, frame(STRANGER, 0, -2), frame(STATION, 0, ++number));
            assertEcho(peer, frame(OTHER_GROUP, 0, -3), frame(GROUP, 0, ++number));
            assertEcho(peer, frame(STATION, OTHER_VLAN, -4), frame(STATION, VLAN, ++number));
            assertEcho(peer, frame(STRANGER, VLAN, -5), frame(SECOND, 0, ++number));
        }
    }

    private static void assertEcho(FramePeer peer, byte[] notForIt, byte[] forIt) {
        send(peer, notForIt);
        send(peer, forIt);
        byte[] answer = answer(peer);
        ByteBuffer expected = ByteBuffer.wrap(forIt.clone());
        expected.put(0, forIt, 6, 6)
                .putShort(6, (short) (STATION.value() >>> 32))
                .putInt(8, (int) STATION.value());
        assertThat(answer).isEqualTo(expected.array());
    }

    private static void send(FramePeer peer, byte[] frame) {
        peer.send(frame);
        peer.flush();
    }

    /** @param vlan 0 for a frame without a tag */
    private static byte[] frame(MacAddress to, int vlan, int number) {
        ByteBuffer frame = ByteBuffer.allocate(LENGTH);
        putMac(frame, to);
        putMac(frame, Lab.IGB.peerMac());
        if (vlan != 0) {
            frame.putShort((short) 0x8100).putShort((short) vlan);
        }
        return frame.putShort((short) ETHERTYPE).putInt(number).array();
    }

    private static void putMac(ByteBuffer frame, MacAddress address) {
        frame.putShort((short) (address.value() >>> 32)).putInt((int) address.value());
    }

    /** The next frame to the peer; the kernel's interfaces may have something to say, too. */
    private static byte[] answer(FramePeer peer) {
        while (true) {
            byte[] frame = peer.receive(PATIENCE);
            if (ByteBuffer.wrap(frame).getLong() >>> 16 == Lab.IGB.peerMac().value()) {
                return frame;
            }
        }
    }

    // ---- In the guest: sends each frame back, from its own address

    public static void main(String[] arguments) {
        PciAddress address = PciAddress.parse(arguments[0]);
        new DriverBinding(PciBus.system()).bind(address, false);
        NicConfig config = NicConfig.defaults().withVlans(VLAN).withReceiveOffloads(Offloads.VLAN_TAG);
        try (Nic nic = Nic.open(address.toString(), config);
                QueueWaiter waiter = new QueueWaiter().add(nic, 0).addLink(nic)) {
            System.out.println("model: " + nic.model());
            nic.ability(MacFilter.class).macAddress(STATION);
            nic.ability(MacFilter.class).addresses(List.of(SECOND, GROUP));
            try {
                nic.promiscuous(true);
            } catch (DoorbellException e) {
                System.out.println("refused: " + e.getMessage());
            }
            nic.awaitLink(PATIENCE);
            System.out.println("link: up");
            echo(nic, waiter);
            NicStatistics counted = nic.statistics();
            System.out.println("counted: " + counted.rxFrames() + " received, " + counted.txFrames() + " sent");
        }
    }

    private static void echo(Nic nic, QueueWaiter waiter) {
        FrameBatch batch = new FrameBatch(32);
        LinkState link = nic.linkState();
        while (true) {
            waiter.await(PATIENCE);
            LinkState now = nic.linkState();
            if (now.up() != link.up()) {
                System.out.println(now.up() ? "link: up again" : "link: down");
            }
            link = now;
            nic.rxQueue(0).receive(batch);
            for (int i = 0; i < batch.size(); ) {
                Frame frame = batch.frame(i);
                if (frame.getUnsignedShort(12) != ETHERTYPE) {
                    batch.release(i);
                } else if (frame.getInt(14) == END) {
                    batch.release();
                    return;
                } else {
                    frame.setMac(0, frame.getMac(6));
                    frame.setMac(6, nic.macAddress());
                    i++;
                }
            }
            while (!batch.isEmpty()) {
                nic.txQueue(0).send(batch);
            }
            nic.statistics(); // else those since the last second would be lost in the reset of the port
        }
    }
}
