package io.doorbell.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.IommuMapper.IovaRange;
import io.doorbell.pci.Bar;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.region.Region.Area;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import jnr.constants.platform.Errno;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VfioTest {

    private static final PciAddress NIC = PciAddress.parse("0000:01:00.0");
    private static final PciAddress NEIGHBOUR = PciAddress.parse("0000:01:00.1");

    @TempDir
    private Path root;

    private FakeVfio fake;
    private Vfio vfio;

    @BeforeEach
    void boot() {
        fake = new FakeVfio(root);
        vfio = fake.vfio();
    }

    @Test
    void opensContainerThenGroupThenDevice() {
        vfio.openFunction(NIC);
        assertThat(calls().stream().filter(call -> !call.startsWith("pread") && !call.contains("_INFO")))
                .containsExactly(
                        "open vfio",
                        "VFIO_GET_API_VERSION vfio",
                        "open 12",
                        "VFIO_GROUP_GET_STATUS 12",
                        "VFIO_GROUP_SET_CONTAINER 12",
                        "VFIO_CHECK_EXTENSION vfio",
                        "VFIO_SET_IOMMU vfio",
                        "VFIO_GROUP_GET_DEVICE_FD 12",
                        "pwrite 0000:01:00.0 offset=0x70000000004 length=2");
    }

    @Test
    void releasesInTheReverseOrderTheDeviceBeingQuietFirst() {
        PciFunction nic = vfio.openFunction(NIC);
        nic.bar(0);
        nic.dma().allocate(1);
        nic.config().busMaster(true);
        fake.kernel.forgetCalls();

        nic.close();
        nic.close();

        assertThat(calls())
                .containsExactly(
                        "pread 0000:01:00.0 offset=0x70000000004 length=2",
                        "pwrite 0000:01:00.0 offset=0x70000000004 length=2",
                        "VFIO_DEVICE_RESET 0000:01:00.0",
                        "VFIO_IOMMU_UNMAP_DMA vfio",
                        "munmap length=0x200000",
                        "close memfd",
                        "munmap length=0x20000",
                        "close 0000:01:00.0",
                        "close 12",
                        "close vfio");
        assertThat(fake.config.getShort(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER)
                .isZero();
        assertNothingLeaked();
    }

    /** Of which VFIO does not say how many interrupts for errors it has, but EINVAL. */
    @Test
    void opensAFunctionThatIsNotOnPciExpress() {
        fake.express = false;
        vfio.openFunction(NIC).close();
        assertNothingLeaked();
    }

    @Test
    void leaksNothingWhereverOpeningFails() {
        vfio.openFunction(NIC).close();
        List<String> steps = calls().stream()
                .takeWhile(call -> !call.startsWith("VFIO_DEVICE_RESET"))
                .map(call -> call.split(" ")[0])
                .distinct()
                .toList();
        assertThat(steps).hasSizeGreaterThan(10).contains("VFIO_SET_IOMMU", "VFIO_DEVICE_GET_IRQ_INFO", "pwrite");
        for (String step : steps) {
            fake.kernel.fail(step, Errno.EIO);
            assertThatThrownBy(() -> vfio.openFunction(NIC)).as(step).hasMessageContaining("EIO");
            fake.kernel.heal(step);
            assertNothingLeaked();
        }
        vfio.openFunction(NIC).close();
    }

    @Test
    void releasesTheRestWhenAReleaseFails() {
        PciFunction nic = vfio.openFunction(NIC);
        nic.bar(0);
        nic.dma().allocate(1);
        fake.kernel.fail("pread", Errno.EIO);
        assertThatThrownBy(nic::close).hasMessageContaining("EIO");
        assertNothingLeaked();
        fake.kernel.heal("pread");
        vfio.openFunction(NIC).close();
    }

    @Test
    void tellsIdInterruptsAndConfigSpace() {
        try (PciFunction nic = vfio.openFunction(NIC)) {
            assertThat(nic.address()).isEqualTo(NIC);
            assertThat(nic.id()).hasToString("8086:10c9");
            assertThat(nic.interrupts()).isEqualTo(new InterruptInfo(1, 1, 10));
            assertThat(nic.config().size()).isEqualTo(4096);
            assertThat(nic.config().read16(ConfigSpace.COMMAND))
                    .as("memory decoding, without which a mapped BAR is a bus error")
                    .isEqualTo(ConfigSpace.COMMAND_MEMORY);
            nic.config().write32(0x40, 0x12345678);
            assertThat(nic.config().read8(0x41)).isEqualTo(0x56);
            assertThatThrownBy(() -> nic.config().read32(4096)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> nic.config().read16(1)).hasMessageContaining("not aligned");
        }
    }

    @Test
    void mapsABarAtTheFirstCallAndAccessesItWithoutTheKernel() {
        try (PciFunction nic = vfio.openFunction(NIC)) {
            Bar bar = nic.bar(0);
            assertThat(nic.bar(0)).isSameAs(bar);
            assertThat(bar.size()).isEqualTo(FakeVfio.BAR0_SIZE);
            fake.kernel.forgetCalls();
            bar.write32(0x1fffc, 0x89abcdef);
            assertThat(bar.read32(0x1fffc)).isEqualTo(0x89abcdef);
            assertThat(bar.read16(0x1fffe)).isEqualTo(0x89ab);
            assertThat(bar.read8(0x1fffd)).isEqualTo(0xcd);
            bar.write8(0x1ffff, 0xff);
            bar.write16(0x1fffc, 0);
            assertThat(bar.read32(0x1fffc)).isEqualTo(0xffab0000);
            assertThat(calls()).isEmpty();
            assertThatThrownBy(() -> bar.read32(0x20000)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> bar.write32(-4, 0)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> bar.read32(2)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void goesThroughTheFileWhereABarCannotBeMapped() {
        // The page of an MSI-X table, as kernels before 4.16 leave it out.
        fake.bar0Areas = List.of(new Area(0, 0x1000), new Area(0x2000, 0x1e000));
        try (PciFunction nic = vfio.openFunction(NIC)) {
            Bar bar = nic.bar(0);
            fake.kernel.forgetCalls();
            bar.write32(0x2000, 1);
            bar.write32(0x1fffc, 2);
            assertThat(bar.read32(0x2000)).isEqualTo(1);
            assertThat(calls()).isEmpty();

            bar.write32(0x1ffc, 0x11223344);
            assertThat(fake.bars.getInt(0x1ffc)).isEqualTo(0x11223344);
            assertThat(bar.read16(0x1ffe)).isEqualTo(0x1122);
            bar.write8(0x1ffc, 0xff);
            bar.write16(0x1ffe, 0xffff);
            assertThat(bar.read32(0x1ffc)).isEqualTo(0xffff33ff);
            assertThat(bar.read8(0x1ffd)).isEqualTo(0x33);
            assertThat(calls()).hasSize(6);
            assertThatThrownBy(() -> bar.read32(0x20000)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void reachesPortsThroughTheFile() {
        try (PciFunction nic = vfio.openFunction(NIC)) {
            nic.bar(2).write32(4, 42);
            assertThat(nic.bar(2).read32(4)).isEqualTo(42);
            assertThat(calls()).noneMatch(call -> call.startsWith("mmap"));
        }
    }

    @Test
    void refusesAccessOnceClosed() {
        PciFunction nic = vfio.openFunction(NIC);
        Bar mapped = nic.bar(0);
        Bar ports = nic.bar(2);
        ConfigSpace config = nic.config();
        nic.close();
        for (ThrowingCallable late : List.<ThrowingCallable>of(
                () -> mapped.read8(0),
                () -> mapped.read16(0),
                () -> mapped.read32(0),
                () -> mapped.write8(0, 1),
                () -> mapped.write16(0, 1),
                () -> mapped.write32(0, 1),
                () -> ports.read32(0),
                () -> config.read32(0),
                () -> nic.bar(0),
                nic::reset,
                () -> nic.dma().allocate(1))) {
            assertThatThrownBy(late)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("0000:01:00.0 is closed; thread 'main' closed it");
        }
    }

    @Test
    void releasesTheRestWhenAReleaseFailsForGood() {
        PciFunction nic = vfio.openFunction(NIC);
        nic.bar(0);
        nic.dma().allocate(1);
        fake.kernel.on(VfioIoctl.VFIO_DEVICE_RESET.request(), "VFIO_DEVICE_RESET", (fd, none) -> {
            throw new OutOfMemoryError("no heap");
        });
        assertThatThrownBy(nic::close).isInstanceOf(OutOfMemoryError.class);
        assertNothingLeaked();
    }

    @Test
    void leaksNothingWhenOpeningFailsForGood() {
        fake.kernel.on(VfioIoctl.VFIO_DEVICE_GET_IRQ_INFO.request(), "VFIO_DEVICE_GET_IRQ_INFO", (fd, none) -> {
            throw new StackOverflowError();
        });
        assertThatThrownBy(() -> vfio.openFunction(NIC)).isInstanceOf(StackOverflowError.class);
        assertNothingLeaked();
    }

    @Test
    void isClosedOnceByHoweverManyThreads() throws Exception {
        for (int i = 0; i < 50; i++) {
            PciFunction nic = vfio.openFunction(NIC);
            nic.bar(0);
            DmaRegion region = nic.dma().allocate(1);
            CyclicBarrier together = new CyclicBarrier(4);
            List<AutoCloseable> closing = List.of(nic, nic, region, region);
            try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
                List<Future<Object>> ends = closing.stream()
                        .map(it -> threads.submit(() -> {
                            together.await();
                            it.close();
                            return null;
                        }))
                        .toList();
                for (Future<Object> end : ends) {
                    end.get(20, TimeUnit.SECONDS);
                }
            }
            assertNothingLeaked();
        }
    }

    @Test
    void saysWhichBarsThereAre() {
        try (PciFunction nic = vfio.openFunction(NIC)) {
            for (int number : List.of(-1, 1, 6)) {
                assertThatThrownBy(() -> nic.bar(number))
                        .hasMessage("0000:01:00.0 has no BAR " + number
                                + ": it has BARs 0 (128 KiB), 2 (32 bytes), 3 (16 KiB)");
            }
        }
    }

    @Test
    void resetsWithBusMasteringOff() {
        try (PciFunction nic = vfio.openFunction(NIC)) {
            nic.config().busMaster(true);
            assertThat(nic.reset()).isTrue();
            assertThat(fake.config.getShort(ConfigSpace.COMMAND)).isEqualTo((short) ConfigSpace.COMMAND_MEMORY);
            assertThat(calls()).contains("VFIO_DEVICE_RESET 0000:01:00.0");
        }
    }

    @Test
    void saysWhenTheFunctionHasNoReset() {
        fake.resettable = false;
        try (PciFunction nic = vfio.openFunction(NIC)) {
            assertThat(nic.reset()).isFalse();
        }
        assertThat(calls()).doesNotContain("VFIO_DEVICE_RESET 0000:01:00.0");
        assertNothingLeaked();
    }

    @Test
    void reportsWhatItKnowsOfAFunctionAndLetsGoOfIt() {
        fake.bar0Areas = List.of(new Area(0, 0x1000), new Area(0x2000, 0x1e000));
        fake.permitted = List.of(new IovaRange(0x4000_0000L, 0x4fff_ffffL));

        VfioReport report = vfio.inspectFunction(NIC);

        assertThat(report.interrupts()).isEqualTo(new InterruptInfo(1, 1, 10));
        assertThat(report.resettable()).isTrue();
        assertThat(report.permitted()).containsExactly(new IovaRange(0x4000_0000L, 0x4fff_ffffL));
        assertThat(report.regions())
                .contains(new VfioReport.Region(
                        0, 0x20000, List.of(new VfioReport.Area(0, 0x1000), new VfioReport.Area(0x2000, 0x1e000))));
        assertNothingLeaked();
    }

    @Test
    void mapsMemoryOnlyWhereTheIommuPermits() {
        fake.permitted = List.of(new IovaRange(0x4000_0000L, 0x4fff_ffffL));
        try (PciFunction nic = vfio.openFunction(NIC)) {
            DmaRegion region = nic.dma().allocate(1);
            assertThat(region.deviceAddress()).isEqualTo(0x4000_0000L);
            assertThat(fake.mapped).containsEntry(0x4000_0000L, region.segment().byteSize());
            region.close();
            assertThat(fake.mapped).isEmpty();
        }
    }

    @Test
    void staysBelowTheInterruptWindowWhereAnOldKernelDoesNotTellTheRanges() {
        fake.permitted = List.of();
        fake.iommuVersion2 = false;
        try (PciFunction nic = vfio.openFunction(NIC);
                DmaRegion region = nic.dma().allocate(1)) {
            assertThat(region.deviceAddress()).isEqualTo(0x20_0000L);
        }
        assertNothingLeaked();
    }

    @Test
    void sharesAGroupBetweenItsFunctionsUntilTheLastHasGone() {
        fake.host.igb("0000:01:00.1", 12).bound("0000:01:00.1", "vfio-pci");
        PciFunction nic = vfio.openFunction(NIC);
        PciFunction neighbour = vfio.openFunction(NEIGHBOUR);
        assertThat(calls()).containsOnlyOnce("open 12").containsOnlyOnce("open vfio");
        DmaRegion mine = nic.dma().allocate(1);
        DmaRegion its = neighbour.dma().allocate(1);
        assertThat(its.deviceAddress()).isNotEqualTo(mine.deviceAddress());

        nic.close();
        assertThat(fake.mapped).as("the neighbour's memory stays").containsOnlyKeys(its.deviceAddress());
        assertThat(calls()).doesNotContain("close 12");
        neighbour.close();
        assertThat(calls()).containsSubsequence("close 0000:01:00.1", "close 12", "close vfio");
        assertNothingLeaked();
    }

    @Test
    void opensAFunctionOnceAtATime() {
        PciFunction nic = vfio.openFunction(NIC);
        assertThatThrownBy(() -> vfio.openFunction(NIC))
                .hasMessage("0000:01:00.0 is open already in this process: close it first, or share the one that is"
                        + " open");
        nic.close();
        vfio.openFunction(NIC).close();
        assertNothingLeaked();
    }

    @Test
    void quiescesWhatIsOpenWhenTheJvmEnds() {
        PciFunction nic = vfio.openFunction(NIC);
        nic.config().busMaster(true);
        vfio.quiesceAll();
        assertThat(fake.config.getShort(ConfigSpace.COMMAND)).isEqualTo((short) ConfigSpace.COMMAND_MEMORY);
        assertThat(calls()).contains("VFIO_DEVICE_RESET 0000:01:00.0");
        nic.close();
        fake.kernel.forgetCalls();
        vfio.quiesceAll();
        assertThat(calls()).isEmpty();
    }

    private void assertNothingLeaked() {
        assertThat(fake.kernel.open()).isEmpty();
        assertThat(fake.kernel.mappedBytes()).isZero();
        assertThat(fake.mapped).isEmpty();
    }

    private List<String> calls() {
        return fake.kernel.calls().stream()
                .map(call -> call.replace(fake.host.path("dev/vfio") + "/", ""))
                .toList();
    }
}
