package io.doorbell.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** What holds of any ring, with a device that keeps to the rules, whatever the size and however the frames come. */
class RingPropertyTest {

    /** So many that the 16-bit indices of a split ring wrap, and the wrap counters of a packed one many times. */
    private static final int FRAMES = 1 << 16 | 1 << 9;

    private static final int LENGTH = 60;

    /** A split ring has a power of two of entries. */
    private static int size(Layout layout, int size) {
        return layout.isPacked() ? size : Integer.highestOneBit(size);
    }

    /** @param spare how many times the ring is to be doubled without being used more */
    private static Rig rig(Layout layout, int anySize, int spare) {
        int size = size(layout, anySize);
        return spare == 0 || layout.isPacked()
                ? new Rig(layout, size, 3 * size)
                : new Rig(layout, size << spare, anySize, 3 * anySize);
    }

    @Property(tries = 20)
    void everyFrameArrivesOnceAndInTheOrderOfItsUse(
            @ForAll Layout layout,
            @ForAll @IntRange(min = 4, max = 33) int anySize,
            @ForAll @IntRange(max = 2) int spare,
            @ForAll @Size(min = 1, max = 12) List<@IntRange(min = 1, max = 33) Integer> bursts) {
        int size = size(layout, anySize);
        try (Rig rig = rig(layout, anySize, spare)) {
            MemorySegment device = rig.memory.segment();
            FrameBatch batch = new FrameBatch(1 + size / 2);
            List<Integer> taken = new ArrayList<>();
            int arrived = 0;
            int marks = 0;
            for (int turn = 0; arrived < FRAMES; turn++) {
                int burst = bursts.get(turn % bursts.size());
                while (taken.size() < burst && rig.rxFar.take()) {
                    assertThat(rig.rxFar.length()).isEqualTo(Rig.HEADER + 192);
                    device.set(ValueLayout.JAVA_INT_UNALIGNED, rig.rxFar.address() + Rig.HEADER, marks++);
                    taken.add(rig.rxFar.id());
                }
                taken.forEach(id -> rig.rxFar.use(id, Rig.HEADER + LENGTH));
                rig.rxFar.publish();
                taken.clear();
                while (rig.rx.receive(batch) > 0) {
                    for (int i = 0; i < batch.size(); i++) {
                        assertThat(batch.frame(i).length()).isEqualTo(LENGTH);
                        assertThat(Integer.reverseBytes(batch.frame(i).getInt(0)))
                                .isEqualTo(arrived++);
                    }
                    batch.release();
                }
                assertThat(arrived).isEqualTo(marks);
            }
            rig.rx.stop();
            rig.tx.stop();
            assertThat(rig.pool.available()).isEqualTo(rig.buffers.length);
        }
    }

    @Property(tries = 20)
    void everyFrameIsSentOnceAndItsBufferComesBackInWhateverOrderTheDeviceIsDone(
            @ForAll Layout layout,
            @ForAll @IntRange(min = 4, max = 33) int anySize,
            @ForAll @IntRange(max = 2) int spare,
            @ForAll @Size(min = 1, max = 12) List<@IntRange(min = 1, max = 33) Integer> bursts) {
        int size = size(layout, anySize);
        try (Rig rig = rig(layout, anySize, spare)) {
            MemorySegment device = rig.memory.segment();
            FrameBatch batch = new FrameBatch(33);
            List<Integer> taken = new ArrayList<>();
            int sent = 0;
            int seen = 0;
            for (int turn = 0; seen < FRAMES; turn++) {
                int burst = bursts.get(turn % bursts.size());
                rig.pool.allocate(batch, Math.max(0, burst - batch.size()));
                for (int i = 0; i < batch.size(); i++) {
                    batch.frame(i).length(LENGTH);
                    batch.frame(i).setInt(0, Integer.reverseBytes(sent + i));
                }
                sent += rig.tx.send(batch); // those that there was no room for stay in the batch
                while (rig.txFar.take()) {
                    assertThat(device.get(ValueLayout.JAVA_INT_UNALIGNED, rig.txFar.address() + Rig.HEADER))
                            .isEqualTo(seen++);
                    taken.add(rig.txFar.id());
                }
                assertThat(seen).isEqualTo(sent);
                if (!layout.isInOrder()) {
                    Collections.rotate(taken, turn);
                }
                // Some are done now, and others next time.
                List<Integer> done = taken.subList(0, (taken.size() + turn % 2) / 2);
                done.forEach(id -> rig.txFar.use(id, 0));
                done.clear();
                rig.txFar.publish();
            }
            batch.release();
            rig.rx.stop();
            rig.tx.stop();
            assertThat(rig.pool.available()).isEqualTo(rig.buffers.length);
        }
    }
}
