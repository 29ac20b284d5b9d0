package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestProcess;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.qemu.link.Wire;
import io.doorbell.virtio.queue.NicEnd;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A legacy device, which bypasses the IOMMU: VFIO is refused, and sysfs works, with I/O ports by the kernel's hand and
 * physical addresses.
 */
@Timeout(300)
@Tag("guest")
class UnprotectedIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Wire.Hub HUB = Wire.hub(0);
    private static final long FRAMES = 1000;
    private static final long NIC_MAC = 0x52_54_00_00_00_01L;
    private static final long PEER_MAC = 0x52_54_00_00_00_03L;

    @Test
    void drivesALegacyDeviceByItsFilesInSysfs() {
        try (GuestMachine guest = GuestMachine.builder()
                .hugePages(32)
                .peer(HUB)
                .qemu("-netdev", "hubport,id=bypass,hubid=0")
                .qemu(
                        "-device",
                        "virtio-net-pci,addr=0x1c,romfile=,netdev=bypass,mac=52:54:00:00:00:01,disable-modern=on")
                .start()) {
            guest.load("virtio_net", "vfio-pci", "vfio_iommu_type1");
            GuestProcess driver = guest.spawn(GuestMachine.java(
                    List.of("-XX:TieredStopAtLevel=1"), UnprotectedIT.class.getName(), "0000:00:1c.0"));
            driver.awaitLine("open: virtio-net, legacy PCI, split rings", PATIENCE);
            exchange(guest.peer(HUB));
            assertThat(driver.await(PATIENCE).orThrow().stdout())
                    .contains("refused: 0000:00:1c.0 (legacy PCI) does not offer VIRTIO_F_ACCESS_PLATFORM");
        }
    }

    private static void exchange(FramePeer peer) {
        NumberedExchange exchange = new NumberedExchange(NIC_MAC, PEER_MAC, FRAMES, FRAMES, 32);
        long start = System.nanoTime();
        while (!exchange.isFinished() && System.nanoTime() - start < PATIENCE.toNanos()) {
            if (!exchange.advance(peer) && !peer.await(Duration.ofMillis(200))) {
                exchange.remind();
            }
        }
        peer.flush();
        assertThat(exchange.counts())
                .isEqualTo(new NumberedExchange.Counts(
                        FRAMES, FRAMES, FRAMES, 0, 0, 0, exchange.counts().foreign()));
        assertThat(exchange.isFinished()).as("the device got all of ours").isTrue();
    }

    /** In the guest. */
    public static void main(String[] arguments) {
        PciAddress address = PciAddress.parse(arguments[0]);
        DriverBinding binding = new DriverBinding(PciBus.system());
        binding.bind(address, false);
        try (Nic nic = Nic.open(address.toString())) {
            System.out.println("not refused: " + nic);
        } catch (DoorbellException e) {
            System.out.println("refused: " + e.getMessage());
        }
        binding.unbind(address, false);
        // All of it in one hugepage: two need not be neighbours.
        try (FramePool pool = FramePool.create(800, 2048);
                Nic nic = Nic.open(
                        "sysfs:" + address, NicConfig.defaults().withPool(pool).withRingSizes(256, 256))) {
            nic.awaitLink(PATIENCE);
            try (NicEnd end = new NicEnd(nic, 0, new NumberedExchange(PEER_MAC, NIC_MAC, FRAMES, FRAMES, 32))) {
                System.out.println("open: " + nic.model());
                NicEnd.run(end);
                lingerFor(end);
            }
        }
    }

    /** The other end may not have been told that all is over. */
    private static void lingerFor(NicEnd end) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < Duration.ofSeconds(1).toNanos()) {
            end.advance();
        }
    }
}
