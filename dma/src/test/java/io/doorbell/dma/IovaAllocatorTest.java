package io.doorbell.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.IommuMapper.IovaRange;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IovaAllocatorTest {

    private static final long MIB = 1L << 20;

    /** As VT-d shows it: the window of message-signalled interrupts left out, 39 bits of address. */
    private static final List<IovaRange> VT_D =
            List.of(new IovaRange(0, 0xfedf_ffffL), new IovaRange(0xfef0_0000L, 0x7f_ffff_ffffL));

    @Test
    void leavesTheFirstMebibyteAlone() {
        assertThat(new IovaAllocator(VT_D).allocate(4096, 4096)).isEqualTo(MIB);
    }

    @Test
    void fillsAGapBeforeItGoesOn() {
        IovaAllocator allocator = new IovaAllocator(VT_D);
        long first = allocator.allocate(4096, 4096);
        long second = allocator.allocate(8192, 4096);
        long third = allocator.allocate(4096, 4096);
        allocator.free(second);

        assertThat(allocator.allocate(12288, 4096)).as("too large for the gap").isGreaterThan(third);
        assertThat(allocator.allocate(8192, 4096)).isEqualTo(second).isGreaterThan(first);
    }

    @Test
    void usesTheLastByteOfTheAddressSpaceAndNeverWraps() {
        IovaAllocator allocator = new IovaAllocator(List.of(new IovaRange(-8192L, -1L)));
        assertThat(allocator.allocate(4096, 4096)).isEqualTo(-8192L);
        assertThat(allocator.allocate(4096, 4096)).isEqualTo(-4096L);
        assertThatThrownBy(() -> allocator.allocate(1, 1)).isInstanceOf(DoorbellException.class);
    }

    @Test
    void saysWhatIsPermittedWhenNothingFits() {
        IovaAllocator allocator = new IovaAllocator(List.of(new IovaRange(0, 2 * MIB - 1)));
        allocator.allocate(4096, 4096);
        assertThatThrownBy(() -> allocator.allocate(MIB, 4096))
                .hasMessage("no device address is free for 1048576 bytes aligned to 4096: the IOMMU permits"
                        + " [0x0-0x1fffff] and 1 regions are mapped; close regions that are not needed, or allocate"
                        + " smaller ones");
    }

    @Test
    void refusesToFreeWhatIsNotAllocated() {
        IovaAllocator allocator = new IovaAllocator(VT_D);
        long address = allocator.allocate(4096, 4096);
        allocator.free(address);
        assertThatThrownBy(() -> allocator.free(address)).hasMessage("device address 0x100000 is not allocated");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void neverOverlapsKeepsToThePermittedRangesAndAligns(long seed) {
        Random random = new Random(seed);
        List<IovaRange> permitted = List.of(
                new IovaRange(0, 3 * MIB - 1),
                new IovaRange(4 * MIB + 4096, 9 * MIB - 1),
                new IovaRange(-6 * MIB, seed % 2 == 0 ? -1L : -MIB));
        IovaAllocator allocator = new IovaAllocator(permitted);
        TreeMap<Long, Long> live = new TreeMap<>(Long::compareUnsigned);
        int refused = 0;
        for (int step = 0; step < 5_000; step++) {
            if (!live.isEmpty() && random.nextInt(5) < 2) {
                Long victim = List.copyOf(live.keySet()).get(random.nextInt(live.size()));
                allocator.free(victim);
                live.remove(victim);
                continue;
            }
            long size = 4096L * (1 + random.nextInt(64));
            long alignment = 4096L << random.nextInt(10);
            long address;
            try {
                address = allocator.allocate(size, alignment);
            } catch (DoorbellException full) {
                refused++;
                continue;
            }
            long last = address + size - 1;
            assertThat(address & alignment - 1).isZero();
            assertThat(permitted)
                    .anyMatch(range -> Long.compareUnsigned(address, range.first()) >= 0
                            && Long.compareUnsigned(last, range.last()) <= 0
                            && Long.compareUnsigned(address, last) <= 0);
            Map.Entry<Long, Long> before = live.floorEntry(last);
            assertThat(before == null || Long.compareUnsigned(before.getValue(), address) < 0)
                    .as("overlaps its lower neighbour")
                    .isTrue();
            live.put(address, last);
        }
        assertThat(refused).as("the test reached a full space").isPositive();
    }
}
