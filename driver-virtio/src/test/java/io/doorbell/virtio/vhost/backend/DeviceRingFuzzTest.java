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
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A front-end that writes anything anywhere in the memory that it shares, at any time. */
class DeviceRingFuzzTest {

    private static final int OPERATIONS = 200_000;
    private static final int SIZE = 16;
    private static final long START = 1L << 30;
    private static final int AVAILABLE_INDEX = 514;
    private static final int USED = 1024;
    private static final int BYTES = 4096;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void findsNothingButNamedErrorsAndPartsInSharedMemory(boolean packed) {
        Kernel kernel = Kernel.linux();
        Random random = new Random(4711);
        long features = Feature.VIRTIO_F_VERSION_1.mask()
                | Feature.VIRTIO_F_INDIRECT_DESC.mask()
                | Feature.VIRTIO_F_EVENT_IDX.mask();
        Features agreed = new Features(features, features);
        int taken = 0;
        int refused = 0;
        try (PinnedMemory pinned = PinnedMemory.allocate(BYTES);
                VhostMemory memory = new VhostMemory(kernel)) {
            memory.add(new VhostRegion(START, BYTES, START, 0), pinned.fd());
            MemorySegment target = MemorySegment.ofArray(new byte[BYTES]);
            MemorySegment bytes = pinned.segment();
            DeviceRing ring = ring(packed, memory, agreed);
            for (int i = 0; i < OPERATIONS; i++) {
                scribble(random, bytes, packed);
                int mark = ring.mark();
                boolean writable = random.nextBoolean();
                try {
                    ring.parts().clear();
                    if (ring.take(writable)) {
                        taken++;
                        int piece = (int) Math.min(ring.parts().bytes(), BYTES);
                        if (writable) {
                            ring.parts().copyIn(target, 0, ring.parts().bytes() - piece, piece);
                        } else {
                            ring.parts().copyOut(ring.parts().bytes() - piece, target, 0, piece);
                        }
                        if (random.nextInt(4) == 0) {
                            ring.rewind(mark);
                        } else {
                            ring.put(ring.id(), ring.entries(), piece);
                        }
                    }
                    if (random.nextInt(8) == 0) {
                        ring.publish();
                    }
                } catch (BrokenDeviceException e) {
                    refused++;
                    bytes.set(ValueLayout.JAVA_SHORT, AVAILABLE_INDEX, (short) 0);
                    ring = ring(packed, memory, agreed);
                }
            }
        }
        assertThat(taken).isGreaterThan(1000);
        assertThat(refused).isGreaterThan(1000);
    }

    private static DeviceRing ring(boolean packed, VhostMemory memory, Features features) {
        return packed
                ? new PackedDeviceRing(
                        "packed", SIZE, memory, features, START, START + AVAILABLE_INDEX - 2, START + USED, 0x8000)
                : new SplitDeviceRing(
                        "split", SIZE, memory, features, START, START + AVAILABLE_INDEX - 2, START + USED, 0);
    }

    /** Changes a few words, to what is likely to be understood as often as not. */
    private static void scribble(Random random, MemorySegment bytes, boolean packed) {
        for (int i = random.nextInt(4); i >= 0; i--) {
            long descriptor = 16L * random.nextInt(random.nextInt(4) == 0 ? BYTES / 16 : SIZE);
            long address = random.nextInt(8) == 0 ? random.nextLong() : START + 16L * random.nextInt(BYTES / 16);
            int length = random.nextInt(8) == 0 ? random.nextInt() : 16 * random.nextInt(1, 8);
            int flags = random.nextInt(8) | (random.nextInt(4) << 14 & 0x8000) | (random.nextInt(2) << 7);
            int other = random.nextInt(16) == 0 ? random.nextInt() : random.nextInt(SIZE);
            bytes.set(ValueLayout.JAVA_LONG, descriptor, address);
            bytes.set(ValueLayout.JAVA_INT, descriptor + 8, length);
            bytes.set(ValueLayout.JAVA_SHORT, descriptor + 12, (short) (packed ? other : flags));
            bytes.set(ValueLayout.JAVA_SHORT, descriptor + 14, (short) (packed ? flags : other));
        }
        if (!packed) {
            short index = bytes.get(ValueLayout.JAVA_SHORT, AVAILABLE_INDEX);
            bytes.set(ValueLayout.JAVA_SHORT, AVAILABLE_INDEX, (short) (index + random.nextInt(3)));
            bytes.set(ValueLayout.JAVA_SHORT, AVAILABLE_INDEX + 2 + 2L * random.nextInt(SIZE), (short)
                    random.nextInt(SIZE));
        }
    }
}
