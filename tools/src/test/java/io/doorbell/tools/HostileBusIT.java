package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.waiting.QueueWaiter;
import io.doorbell.igb.nic.IgbNic;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.vfio.Vfio;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestNic;
import io.doorbell.qemu.guest.GuestProcess;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.tools.lab.JavaOptions;
import io.doorbell.tools.lab.Lab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What Linux's own tests of VFIO do to an igb, done to ours behind an IOMMU in a guest: DMA to addresses that nobody has mapped,
 * from which it does not recover by itself; storms of interrupts; a function level reset that it is not told of.
 */
@Tag("guest")
@Timeout(300)
class HostileBusIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration MOMENT = Duration.ofMillis(200);
    private static final int STORM = 20_000;

    /** Where no region is ever mapped: regions lie at the bottom of the address space. */
    private static final int NOWHERE_HIGH = 0x30;

    @Test
    void survivesUnmappedAddressesStormsOfInterruptsAndAResetBehindItsBack() {
        try (GuestMachine guest = Lab.IGB.plugInto(GuestMachine.builder()).start()) {
            Lab.loadDrivers(guest);
            GuestNic nic = guest.nic(0);
            GuestProcess victim = guest.spawn(GuestMachine.java(
                    JavaOptions.GUEST,
                    HostileBusIT.class.getName(),
                    nic.address().toString()));
            FramePeer peer = guest.peer(Lab.IGB.hub());
            Thread.ofVirtual().start(() -> {
                while (victim.isAlive()) {
                    flood(peer);
                }
            });
            String said = victim.await(PATIENCE.multipliedBy(3)).orThrow().stdout();
            assertThat(said)
                    .contains("receives at first")
                    .contains("receives after unmapped receive rings")
                    .contains("receives after unmapped transmit rings")
                    .contains("sleeps and wakes after a storm")
                    .contains("receives after a reset behind its back");
            assertThat(guest.run("dmesg").stdout())
                    .as("the IOMMU has stopped it")
                    .contains("DMAR");
        }
    }

    private static void flood(FramePeer peer) {
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 6, (byte) 0xff);
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xb5;
        peer.send(frame);
        peer.flush();
    }

    /** In the guest. */
    public static void main(String[] arguments) throws IOException {
        PciAddress address = PciAddress.parse(arguments[0]);
        new DriverBinding(PciBus.system()).bind(address, false);
        try (IgbNic nic = IgbNic.open("victim", Vfio.open(address), IgbModel.I82576, NicConfig.defaults())) {
            receives(nic, "at first");

            nic.registerFile().write(IgbRegisters.RDBAH, 0, NOWHERE_HIGH);
            receiveFor(nic, MOMENT);
            receives(nic, "after unmapped receive rings");

            nic.registerFile().write(IgbRegisters.TDBAH, 0, NOWHERE_HIGH);
            FrameBatch batch = new FrameBatch(1);
            nic.rxQueue(0).pool().allocate(batch, 1);
            batch.frame(0).length(60);
            nic.txQueue(0).send(batch);
            receiveFor(nic, MOMENT);
            receives(nic, "after unmapped transmit rings");

            storm(nic);

            Files.writeString(Path.of("/sys/bus/pci/devices/" + address + "/reset"), "1");
            receiveFor(nic, MOMENT);
            receives(nic, "after a reset behind its back");
        }
    }

    /** An interrupt each, by the device's own register for that, of which none may get lost that matters. */
    private static void storm(IgbNic nic) {
        try (QueueWaiter waiter = new QueueWaiter().add(nic, 0).addLink(nic)) {
            for (int i = 0; i < STORM; i++) {
                nic.registerFile().write(IgbRegisters.EIMS, 3);
                nic.registerFile().write(IgbRegisters.EICS, 3);
            }
            FrameBatch batch = new FrameBatch(32);
            for (int woken = 0; woken < 100; ) {
                if (!waiter.await(PATIENCE)) {
                    throw new AssertionError("it sleeps on");
                }
                woken += nic.rxQueue(0).receive(batch) > 0 ? 1 : 0;
                batch.release();
            }
            System.out.println("sleeps and wakes after a storm");
        }
    }

    private static void receiveFor(IgbNic nic, Duration time) {
        FrameBatch batch = new FrameBatch(32);
        BoundedWait.until(
                () -> {
                    nic.rxQueue(0).receive(batch);
                    batch.release();
                    return false;
                },
                time);
    }

    /** Whatever became of it: after a reset it is as new. */
    private static void receives(IgbNic nic, String when) {
        nic.reset();
        nic.awaitLink(PATIENCE);
        FrameBatch batch = new FrameBatch(32);
        boolean received = BoundedWait.until(
                () -> {
                    int frames = nic.rxQueue(0).receive(batch);
                    batch.release();
                    return frames > 0;
                },
                PATIENCE);
        System.out.println((received ? "receives " : "receives nothing ") + when);
    }
}
