package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.waiting.QueueWaiter;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestProcess;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.tools.lab.JavaOptions;
import io.doorbell.tools.lab.Lab;
import io.doorbell.tools.lab.LabNic;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A thread in a guest sleeps on NICs of both drivers, whose interrupts VFIO turns into events. */
@Tag("guest")
@Timeout(300)
class WaitingIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Duration ASLEEP = Duration.ofSeconds(1);
    private static final int ROUNDS = 500;
    private static final int LENGTH = 60;
    private static final int NUMBER = 20;

    @Test
    void wakesForEachFrameAndSleepsBetween() {
        try (GuestMachine guest =
                Lab.VIRTIO.plugInto(Lab.IGB.plugInto(GuestMachine.builder())).start()) {
            Lab.loadDrivers(guest);
            for (LabNic lab : new LabNic[] {Lab.IGB, Lab.VIRTIO}) {
                String address = guest.nic(2 * lab.wire()).address().toString();
                GuestProcess echo =
                        guest.spawn(GuestMachine.java(JavaOptions.GUEST, WaitingIT.class.getName(), address));
                String slept = echo.awaitLine("CPU asleep: ", PATIENCE);
                assertThat(Long.parseLong(slept.replaceAll("[^0-9]", "")))
                        .as("nanoseconds of CPU in a second of %s", lab.driver())
                        .isLessThan(200_000_000);

                FramePeer peer = guest.peer(lab.hub());
                for (int i = 0; i < ROUNDS; i++) {
                    byte[] frame = frame(lab, i);
                    peer.send(frame);
                    peer.flush();
                    assertThat(answer(peer)).as("%s, round %d", lab.driver(), i).isEqualTo(i);
                }

                assertThat(echo.await(PATIENCE).orThrow().stdout()).contains("answered: " + ROUNDS);
            }
        }
    }

    private static byte[] frame(LabNic lab, int number) {
        ByteBuffer frame = ByteBuffer.allocate(LENGTH);
        putMac(frame, MacAddress.parse(lab.mac()).value());
        putMac(frame, lab.peerMac().value());
        return frame.putShort((short) 0x88b5).putInt(NUMBER, number).array();
    }

    private static void putMac(ByteBuffer frame, long mac) {
        frame.putShort((short) (mac >>> 32)).putInt((int) mac);
    }

    /** The number of the next frame that is ours; the kernel's NIC may have something to say, too. */
    private static int answer(FramePeer peer) {
        while (true) {
            ByteBuffer frame = ByteBuffer.wrap(peer.receive(PATIENCE));
            if (frame.getShort(12) == (short) 0x88b5) {
                return frame.getInt(NUMBER);
            }
        }
    }

    /** In the guest: answers each frame, and sleeps whenever there is none. */
    public static void main(String[] arguments) {
        PciAddress address = PciAddress.parse(arguments[0]);
        new DriverBinding(PciBus.system()).bind(address, false);
        try (Nic nic = Nic.open(address.toString());
                QueueWaiter waiter = new QueueWaiter().add(nic, 0)) {
            nic.awaitLink(PATIENCE);
            FrameBatch batch = new FrameBatch(32);
            while (waiter.await(Duration.ofMillis(200))) {
                nic.rxQueue(0).receive(batch);
                batch.release();
            }
            long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            waiter.await(ASLEEP);
            System.out.println(
                    "CPU asleep: " + (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before) + " ns");
            int answered = 0;
            while (answered < ROUNDS) {
                while (nic.rxQueue(0).receive(batch) == 0) {
                    if (!waiter.await(PATIENCE)) {
                        throw new AssertionError("it was not woken after " + answered + " frames");
                    }
                }
                for (int i = 0; i < batch.size(); ) {
                    if (batch.frame(i).getShort(12) == (short) 0x88b5) {
                        batch.frame(i).swapMacs();
                        answered++;
                        i++;
                    } else {
                        batch.release(i);
                    }
                }
                while (!batch.isEmpty()) {
                    nic.txQueue(0).send(batch);
                }
            }
            System.out.println("answered: " + answered);
            while (nic.txQueue(0).reclaim() > 0) {
                Thread.onSpinWait();
            }
        }
    }
}
