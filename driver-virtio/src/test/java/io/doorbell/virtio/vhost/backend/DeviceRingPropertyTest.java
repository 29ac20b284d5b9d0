package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.dma.PinnedMemory;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.vhost.VhostRegion;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/**
 * As {@link DeviceRingFuzzTest}, in many short lives, so that the fewest descriptors that lead to a failure are what it
 * prints: whatever a front-end writes, each part of a buffer lies in shared memory, or there is a named error.
 */
class DeviceRingPropertyTest {

    private static final int SIZE = 16;
    private static final long START = 1L << 30;
    private static final int AVAILABLE = 512;
    private static final int USED = 1024;
    private static final int BYTES = 4096;

    /** A descriptor that the front-end writes, and the entry of the available ring that says so, before a take. */
    record Step(int slot, long address, int length, int flags, int other, boolean writable) {}

    @Provide
    Arbitrary<List<Step>> lives() {
        Arbitrary<Long> inside = Arbitraries.longs().between(0, BYTES - 1).map(offset -> START + offset);
        Arbitrary<Long> address = Arbitraries.frequencyOf(Tuple.of(8, inside), Tuple.of(1, Arbitraries.longs()));
        Arbitrary<Integer> length = Arbitraries.frequencyOf(
                Tuple.of(8, Arbitraries.integers().between(0, 16).map(n -> 16 * n)),
                Tuple.of(1, Arbitraries.integers()));
        // Chained, writable and indirect, and the two bits that make a packed descriptor available.
        Arbitrary<Integer> flags = Combinators.combine(
                        Arbitraries.integers().between(0, 7), Arbitraries.of(0, 1 << 7, 1 << 15, 1 << 7 | 1 << 15))
                .as((low, high) -> low | high);
        Arbitrary<Integer> other = Arbitraries.frequencyOf(
                Tuple.of(8, Arbitraries.integers().between(0, SIZE - 1)),
                Tuple.of(1, Arbitraries.integers().between(0, 0xffff)));
        return Combinators.combine(
                        Arbitraries.integers().between(0, BYTES / 16 - 1),
                        address,
                        length,
                        flags,
                        other,
                        Arbitraries.of(true, false))
                .as(Step::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(100);
    }

    @Property(tries = 2000)
    void reachesNothingButSharedMemoryWhateverTheFrontEndWrites(
            @ForAll boolean packed, @ForAll("lives") List<Step> life) {
        long features = Feature.VIRTIO_F_VERSION_1.mask()
                | Feature.VIRTIO_F_INDIRECT_DESC.mask()
                | Feature.VIRTIO_F_EVENT_IDX.mask();
        Features agreed = new Features(features, features);
        try (PinnedMemory pinned = PinnedMemory.allocate(BYTES);
                VhostMemory memory = new VhostMemory(Kernel.linux())) {
            memory.add(new VhostRegion(START, BYTES, START, 0), pinned.fd());
            DeviceRing ring = packed
                    ? new PackedDeviceRing(
                            "packed", SIZE, memory, agreed, START, START + AVAILABLE, START + USED, 0x8000)
                    : new SplitDeviceRing("split", SIZE, memory, agreed, START, START + AVAILABLE, START + USED, 0);
            for (Step step : life) {
                write(pinned.segment(), step, packed);
                try {
                    ring.parts().clear();
                    if (ring.take(step.writable())) {
                        requireInside(ring);
                        ring.put(ring.id(), ring.entries(), 1);
                        ring.publish();
                    }
                } catch (BrokenDeviceException e) {
                    assertThat(e).hasMessageStartingWith(packed ? "packed: " : "split: ");
                    return;
                }
            }
        }
    }

    private static void write(MemorySegment bytes, Step step, boolean packed) {
        long at = 16L * step.slot();
        bytes.set(ValueLayout.JAVA_LONG, at, step.address());
        bytes.set(ValueLayout.JAVA_INT, at + 8, step.length());
        bytes.set(ValueLayout.JAVA_SHORT, at + 12, (short) (packed ? step.other() : step.flags()));
        bytes.set(ValueLayout.JAVA_SHORT, at + 14, (short) (packed ? step.flags() : step.other()));
        if (!packed) {
            short index = bytes.get(ValueLayout.JAVA_SHORT, AVAILABLE + 2);
            bytes.set(ValueLayout.JAVA_SHORT, AVAILABLE + 4 + 2L * (index & (SIZE - 1)), (short) step.slot());
            bytes.set(ValueLayout.JAVA_SHORT, AVAILABLE + 2, (short) (index + 1));
        }
    }

    private static void requireInside(DeviceRing ring) {
        long sum = 0;
        ScatterList parts = ring.parts();
        assertThat(parts.count()).isLessThanOrEqualTo(ScatterList.MOST_PARTS);
        for (int i = 0; i < parts.count(); i++) {
            assertThat(parts.length(i)).isNotNegative();
            assertThat(parts.offset(i)).isBetween(0L, parts.segment(i).byteSize() - parts.length(i));
            sum += parts.length(i);
        }
        assertThat(parts.bytes()).isEqualTo(sum);
    }
}
