package io.doorbell.qemu.qtest;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.pci.Bar;
import io.doorbell.pci.Capability;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import io.doorbell.qemu.QemuBinary;
import io.doorbell.qemu.QemuException;
import io.doorbell.qemu.link.NumberedFrames;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
@Tag("qtest")
class QtestMachineTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    // The few igb registers that these tests touch (82576 datasheet, section 8)
    private static final int CTRL = 0x0000;
    private static final int STATUS = 0x0008;
    private static final int RAL0 = 0x5400;
    private static final int RAH0 = 0x5404;
    private static final int MDIC = 0x0020;
    private static final int STATUS_LU = 1 << 1;

    @Test
    void showsAnIgbAsThePciFunctionThatItIs() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
                PciFunction nic = machine.open(0)) {
            assertThat(nic.id()).isEqualTo(new PciId(0x8086, 0x10c9));
            assertThat(nic.address()).isEqualTo(PciAddress.parse("0000:00:04.0"));
            assertThat(nic.bar(0).size()).isEqualTo(128 << 10);
            assertThat(nic.bar(3).size()).isEqualTo(16 << 10);
            assertThat(nic.interrupts().msix()).isEqualTo(10);
            assertThat(nic.config().extendedCapability(0x10))
                    .as("the SR-IOV capability, out of reach without the extended configuration space")
                    .isPresent();
        }
    }

    @Test
    void readsRegistersOfTheDeviceModel() {
        try (QtestMachine machine = QtestMachine.builder()
                        .nic("igb", "mac=52:54:00:12:34:56")
                        .start();
                PciFunction nic = machine.open(0)) {
            Bar registers = nic.bar(0);
            assertThat(registers.read32(RAL0)).isEqualTo(0x12005452);
            assertThat(registers.read32(RAH0)).isEqualTo(0x80005634);
        }
    }

    @Test
    void keepsThousandsOfPostedWritesInOrder() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
                PciFunction nic = machine.open(0)) {
            Bar registers = nic.bar(0);
            for (int i = 1; i <= 5_000; i++) {
                registers.write32(RAL0, i);
            }
            assertThat(registers.read32(RAL0)).isEqualTo(5_000);
        }
    }

    @Test
    void refusesAnOffsetThatWouldMeetAnotherRegister() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
                PciFunction nic = machine.open(0)) {
            assertThatThrownBy(() -> nic.bar(0).read32(2)).hasMessageContaining("0x2 for 4 bytes is misaligned");
            assertThatThrownBy(() -> nic.bar(0).write32(128 << 10, 0)).hasMessageContaining("outside a BAR of 0x20000");
            assertThatThrownBy(() -> nic.bar(5))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessage("0000:00:04.0 (8086:10c9) has no BAR 5");
        }
    }

    @Test
    void handsAFunctionOverAndTakesItBackWithBusMasteringOff() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start()) {
            ConfigSpace config;
            try (PciFunction nic = machine.open(0)) {
                config = nic.config();
                assertThat(command(config)).isEqualTo(ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY);
                config.busMaster(true);
                nic.bar(0).write32(RAL0, 0xABCD);
            }
            assertThat(command(config) & ConfigSpace.COMMAND_BUS_MASTER).isZero();
            try (PciFunction again = machine.open(0)) {
                assertThat(again.bar(0).read32(RAL0)).as("after a reset").isEqualTo(0xd0005452);
            }
        }
    }

    private static int command(ConfigSpace config) {
        return config.read16(ConfigSpace.COMMAND);
    }

    @Test
    void resetsAFunctionAndKeepsItReachable() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
                PciFunction nic = machine.open(0)) {
            int fresh = nic.bar(0).read32(CTRL);
            nic.bar(0).write32(CTRL, fresh ^ 1 << 5);
            nic.config().busMaster(true);
            assertThat(nic.reset()).isTrue();
            assertThat(nic.bar(0).read32(CTRL)).isEqualTo(fresh);
            assertThat(command(nic.config()) & ConfigSpace.COMMAND_BUS_MASTER).isZero();
        }
    }

    @Test
    void sharesItsRamWithTheJvm() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
                PciFunction nic = machine.open(0);
                DmaRegion region = nic.dma().allocate(100)) {
            region.segment().set(JAVA_INT, 8, 0x1234_5678);
            assertThat(machine.qtest().readl(region.deviceAddress() + 8)).isEqualTo(0x1234_5678);
            machine.qtest().writel(region.deviceAddress() + 12, 0x9ABC_DEF0);
            machine.qtest().collectPosted();
            assertThat(region.segment().get(JAVA_INT, 12)).isEqualTo(0x9ABC_DEF0);
            machine.qtest().write(region.deviceAddress() + 16, new byte[] {1, 2, 3, 4});
            assertThat(machine.qtest().read(region.deviceAddress() + 8, 12))
                    .containsExactly(0x78, 0x56, 0x34, 0x12, 0xF0, 0xDE, 0xBC, 0x9A, 1, 2, 3, 4);
        }
    }

    @Test
    void drivesVirtioTooWhereverItsRegistersAre() {
        try (QtestMachine machine = QtestMachine.builder()
                        .nic("igb")
                        .nic("virtio-net-pci", "disable-legacy=on", "mac=52:54:00:00:00:09")
                        .nic("virtio-net-pci", "disable-modern=on", "disable-legacy=off", "mac=52:54:00:00:00:0a")
                        .start();
                PciFunction modern = machine.open(1);
                PciFunction legacy = machine.open(2)) {
            assertThat(modern.id()).isEqualTo(new PciId(0x1af4, 0x1041));
            assertThat(modern.config().capability(Capability.VENDOR_SPECIFIC)).isPresent();
            assertThat(modern.bar(4).size()).isEqualTo(16 << 10);
            assertThat(legacy.id()).isEqualTo(new PciId(0x1af4, 0x1000));
            // VIRTIO 1.2, 4.1.4.8: the device's own configuration, the MAC address, starts at 20 where MSI-X is off
            assertThat(legacy.bar(0).read8(20 + 5)).isEqualTo(0x0a);
        }
    }

    @Test
    void pullsAndPlugsTheCable() {
        try (QtestMachine machine =
                        QtestMachine.builder().nic("igb").virtualTime().start();
                PciFunction nic = machine.open(0)) {
            Bar registers = nic.bar(0);
            // PHY 1, register 0 (BMCR): negotiate anew, since a reset leaves the link down
            registers.write32(MDIC, 1 << 26 | 1 << 21 | 0x1200);
            awaitLink(registers, true);
            machine.setLink(0, false);
            awaitLink(registers, false);
            machine.setLink(0, true);
            awaitLink(registers, true);
        }
    }

    private static void awaitLink(Bar registers, boolean up) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while ((registers.read32(STATUS) & STATUS_LU) != 0 != up) {
            assertThat(System.nanoTime()).as("deadline for link up=" + up).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void leavesNothingOfItselfInTheFileSystem(@TempDir Path folder) throws Exception {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start()) {
            for (String word : Files.readString(Path.of("/proc/" + machine.pid() + "/cmdline"))
                    .split("[\0=:,]", -1)) {
                if (word.startsWith(System.getProperty("java.io.tmpdir"))) {
                    assertThat(Path.of(word)).doesNotExist();
                }
            }
        }
    }

    @Test
    void endsWithItsClose() {
        ProcessHandle qemu;
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start()) {
            qemu = ProcessHandle.of(machine.pid()).orElseThrow();
            assertThat(qemu.isAlive()).isTrue();
        }
        assertThat(qemu.isAlive()).isFalse();
    }

    @Test
    void quitsWhenAsked() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start()) {
            machine.quit();
            assertThat(machine.isAlive()).isFalse();
        }
    }

    @Test
    void saysThatQemuDiedInsteadOfHanging() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start()) {
            Bar registers = machine.open(0).bar(0);
            ProcessHandle.of(machine.pid()).orElseThrow().destroyForcibly();
            assertThatThrownBy(() -> registers.read32(STATUS))
                    .isInstanceOf(QemuException.class)
                    .hasMessageStartingWith("qtest: ")
                    .hasMessageContaining("QEMU ended with status 137")
                    .hasMessageContaining("-device igb");
        }
    }

    @Test
    void quotesQemuWhenAPropertyIsWrong() {
        assertThatThrownBy(() -> QtestMachine.builder().nic("igb", "colour=red").start())
                .isInstanceOf(QemuException.class)
                .hasMessageContaining("QEMU ended with status 1 and printed:")
                .hasMessageContaining("Property 'igb.colour' not found");
    }

    @Test
    void namesWhatIsThereAndWhatIsNeededWhenAModelIsMissing() {
        QemuBinary old = new QemuBinary(Path.of("/opt/qemu"), "7.2.17", Set.of("e1000e"));
        assertThatThrownBy(() -> QtestMachine.builder().binary(old).nic("igb").start())
                .isInstanceOf(QemuException.class)
                .hasMessageStartingWith(
                        "/opt/qemu is QEMU 7.2.17, which has no device 'igb' (igb came with QEMU 8.0). Install QEMU 8.0");
    }

    @Test
    void reusesMemoryThatWasGivenBackAndClearsIt() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
                PciFunction nic = machine.open(0)) {
            DmaRegion first = nic.dma().allocate(5000);
            DmaRegion second = nic.dma().allocate(1);
            assertThat(first.deviceAddress()).isEqualTo(1 << 20);
            assertThat(first.segment().byteSize()).isEqualTo(8192);
            assertThat(second.deviceAddress()).isEqualTo((1 << 20) + 8192);
            first.segment().fill((byte) -1);
            first.close();
            first.close();
            DmaRegion third = nic.dma().allocate(8192);
            assertThat(third.deviceAddress()).isEqualTo(1 << 20);
            assertThat(third.segment().mismatch(MemorySegment.ofArray(new byte[8192])))
                    .isEqualTo(-1);
        }
    }

    @Test
    void registersMemoryOfTheMachineAndNoOther() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
                PciFunction nic = machine.open(0);
                Arena arena = Arena.ofConfined()) {
            MemorySegment own = machine.allocate(4096);
            try (DmaRegion region = nic.dma().register(own)) {
                region.segment().set(JAVA_INT, 0, 42);
                assertThat(machine.ram().get(JAVA_INT, region.deviceAddress())).isEqualTo(42);
            }
            MemorySegment foreign = arena.allocate(4096, 4096);
            assertThatThrownBy(() -> nic.dma().register(foreign)).hasMessageContaining("QtestMachine.allocate");
            assertThatThrownBy(() -> nic.dma().register(own.asSlice(8)))
                    .hasMessageContaining("not made of whole pages");
            assertThatThrownBy(() -> nic.dma().allocate(65 << 20)).hasMessageContaining("67108864 bytes of RAM");
        }
    }

    @Test
    void letsTheDeviceReadTheRamAndPutAFrameOnTheWireAndIntoTheCapture(@TempDir Path folder) throws Exception {
        Path pcap = folder.resolve("wire,0.pcap");
        byte[] frame = new byte[100];
        NumberedFrames.write(MemorySegment.ofArray(frame), 0, 60, 1, 2, NumberedFrames.REMINDER, 0, 0);
        try (QtestMachine machine =
                QtestMachine.builder().nic("igb").capture(pcap).start()) {
            try (PciFunction nic = machine.open(0)) {
                DmaRegion region = nic.dma().allocate(8192);
                MemorySegment.copy(MemorySegment.ofArray(frame), 0, region.segment(), 4096, frame.length);
                transmit(nic, region, frame.length);
                assertThat(machine.peer(0).receive(PATIENCE)).isEqualTo(frame);
            }
            machine.quit();
        }
        // pcap: a header of 24 bytes, then 16 before each frame
        byte[] captured = Files.readAllBytes(pcap);
        assertThat(captured).hasSize(24 + 16 + frame.length).endsWith(frame);
    }

    /** One advanced descriptor at the start of the region, for the frame at 4096 (82576 datasheet, 7.2.2 and 8.12). */
    private static void transmit(PciFunction nic, DmaRegion region, int length) {
        int endOfPacketAndInsertCrc = 1 << 24 | 1 << 25;
        int advancedData = 1 << 29 | 3 << 20;
        region.segment().set(JAVA_INT, 0, (int) region.deviceAddress() + 4096);
        region.segment().set(JAVA_INT, 8, endOfPacketAndInsertCrc | advancedData | length);
        region.segment().set(JAVA_INT, 12, length << 14);
        nic.config().busMaster(true);
        Bar registers = nic.bar(0);
        registers.write32(0xE000, (int) region.deviceAddress()); // TDBAL
        registers.write32(0xE008, 128); // TDLEN
        registers.write32(0xE028, 1 << 25); // TXDCTL: ENABLE
        registers.write32(0x0400, 1 << 1); // TCTL: EN
        registers.write32(0xE018, 1); // TDT
    }

    @Test
    void showsAnInterruptInsteadOfDeliveringIt() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
                PciFunction nic = machine.open(0)) {
            int line = 20;
            machine.qtest().interceptInterrupts("ioapic");
            assertThat(machine.qtest().interruptRaised(line)).isFalse();
            nic.bar(0).write32(0x00D0, 1); // IMS: TXDW
            nic.bar(0).write32(0x00C8, 1); // ICS: TXDW
            assertThat(machine.qtest().interruptRaised(line)).isTrue();
            nic.bar(0).read32(0x00C0); // ICR: a read clears it
            assertThat(machine.qtest().interruptRaised(line)).isFalse();
        }
    }
}
