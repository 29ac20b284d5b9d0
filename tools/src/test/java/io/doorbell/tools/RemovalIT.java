package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicRemovedException;
import io.doorbell.frame.waiting.QueueWaiter;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestNic;
import io.doorbell.qemu.guest.GuestProcess;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.tools.lab.JavaOptions;
import io.doorbell.tools.lab.Lab;
import io.doorbell.tools.lab.LabNic;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** NICs of both drivers are taken from a program that uses them, by the kernel and by whoever pulls them out. */
@Tag("guest")
@Timeout(300)
class RemovalIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    @Test
    void losesItsNicInMidTrafficAndAsleepAndLetsGoOfAll() {
        try (GuestMachine guest =
                Lab.VIRTIO.plugInto(Lab.IGB.plugInto(GuestMachine.builder())).start()) {
            Lab.loadDrivers(guest);
            for (LabNic lab : new LabNic[] {Lab.IGB, Lab.VIRTIO}) {
                GuestNic nic = guest.nic(2 * lab.wire());

                GuestProcess asleep = user(guest, nic, "sleep");
                guest.run("sh", "-c", "echo " + nic.address() + " > /sys/bus/pci/drivers/vfio-pci/unbind")
                        .orThrow();
                wasRemoved(asleep, lab);

                GuestProcess polling = user(guest, nic, "poll");
                FramePeer peer = guest.peer(lab.hub());
                Thread.ofVirtual().start(() -> flood(peer, polling));
                polling.awaitLine("received", PATIENCE);
                guest.qmp().deviceDel(nic.id());
                wasRemoved(polling, lab);
                guest.qmp().awaitEvent("DEVICE_DELETED", PATIENCE);
                assertThat(guest.run("ls", "/sys/bus/pci/devices").stdout())
                        .doesNotContain(nic.address().toString());
            }
        }
    }

    private static GuestProcess user(GuestMachine guest, GuestNic nic, String how) {
        GuestProcess user = guest.spawn(GuestMachine.java(
                JavaOptions.GUEST, RemovalIT.class.getName(), nic.address().toString(), how));
        user.awaitLine("in use", PATIENCE);
        return user;
    }

    private static void wasRemoved(GuestProcess user, LabNic lab) {
        assertThat(user.await(PATIENCE).orThrow().stdout())
                .as(lab.driver())
                .contains("removed: ", "the kernel asks for it back", "buffers: all");
    }

    /** The hub takes no more once the NIC is gone that is polled. */
    private static void flood(FramePeer peer, GuestProcess user) {
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 6, (byte) 0xff);
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xb5;
        while (user.isAlive()) {
            peer.send(frame);
            peer.flush();
        }
    }

    /** In the guest: receives, or sleeps, until the NIC is gone. */
    public static void main(String[] arguments) {
        PciAddress address = PciAddress.parse(arguments[0]);
        boolean sleeps = arguments[1].equals("sleep");
        new DriverBinding(PciBus.system()).bind(address, false);
        FramePool pool = FramePool.create(4096, 4096);
        try (Nic nic = Nic.open(address.toString(), NicConfig.defaults().withPool(pool));
                QueueWaiter waiter = new QueueWaiter().add(nic, 0)) {
            nic.awaitLink(PATIENCE);
            System.out.println("in use");
            FrameBatch batch = new FrameBatch(32);
            boolean first = true;
            while (true) {
                if (nic.rxQueue(0).receive(batch) > 0 && first) {
                    System.out.println("received");
                    first = false;
                }
                batch.release();
                if (sleeps) {
                    waiter.await(PATIENCE);
                }
            }
        } catch (NicRemovedException e) {
            System.out.println("removed: " + e.getMessage());
        }
        System.out.println("buffers: " + (pool.available() == pool.buffers() ? "all" : pool.available()));
    }
}
