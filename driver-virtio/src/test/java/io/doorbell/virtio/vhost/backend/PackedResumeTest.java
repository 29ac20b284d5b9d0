package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.dma.PinnedMemory;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.vhost.VhostProtocol;
import io.doorbell.virtio.vhost.VhostRegion;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that come after one that was killed, at a packed ring whose front-end says that it is new. */
class PackedResumeTest {

    private static final int SIZE = 8;
    private static final long START = 1L << 30;
    private static final int BYTES = 4096;
    private static final int NEXT = 1;
    private static final int AVAILABLE = 1 << 7;
    private static final int USED = 1 << 15;
    private static final int START_BASE = VhostProtocol.PACKED_START;

    private final PinnedMemory pinned = PinnedMemory.allocate(BYTES);
    private final VhostMemory memory = new VhostMemory(Kernel.linux());
    private final MemorySegment bytes = pinned.segment();

    // The driver: where it writes, in which round, and which buffer it has back next.
    private int position;
    private int wrap = 1;
    private int clean;
    private int cleanWrap = 1;
    private int made;

    @BeforeEach
    void share() {
        memory.add(new VhostRegion(START, BYTES, START, 0), pinned.fd());
    }

    @AfterEach
    void close() {
        memory.close();
        pinned.close();
    }

    private PackedDeviceRing device(int base) {
        long features = Feature.VIRTIO_F_VERSION_1.mask();
        PackedDeviceRing ring = new PackedDeviceRing(
                "ring", SIZE, memory, new Features(features, features), START, START + 512, START + 1024, base);
        ring.resume();
        ring.start();
        return ring;
    }

    /** Makes a chain available whose descriptors all have its number as their length and id. */
    private void makeAvailable(int descriptors) {
        int head = position;
        int headFlags = 0;
        int id = made++ % SIZE;
        for (int i = 0; i < descriptors; i++) {
            int flags = (wrap == 1 ? AVAILABLE : USED) | (i < descriptors - 1 ? NEXT : 0);
            bytes.set(ValueLayout.JAVA_LONG, 16L * position, START + 2048);
            bytes.set(ValueLayout.JAVA_INT, 16L * position + 8, made % 1000 + 1);
            bytes.set(ValueLayout.JAVA_SHORT, 16L * position + 12, (short) id);
            if (i == 0) {
                headFlags = flags;
            } else {
                bytes.set(ValueLayout.JAVA_SHORT, 16L * position + 14, (short) flags);
            }
            if (++position == SIZE) {
                position = 0;
                wrap ^= 1;
            }
        }
        bytes.set(ValueLayout.JAVA_SHORT, 16L * head + 14, (short) headFlags);
    }

    /** Whether the device has given back the chain of so many descriptors that the driver waits for. */
    private boolean takeBack(int descriptors) {
        int flags = bytes.get(ValueLayout.JAVA_SHORT, 16L * clean + 14) & (AVAILABLE | USED);
        if (flags != (cleanWrap == 1 ? AVAILABLE | USED : 0)) {
            return false;
        }
        clean += descriptors;
        if (clean >= SIZE) {
            clean -= SIZE;
            cleanWrap ^= 1;
        }
        return true;
    }

    private static void use(DeviceRing ring, int number) {
        ring.parts().clear();
        assertThat(ring.take(false)).isTrue();
        assertThat(ring.parts().length(0)).isEqualTo(number % 1000 + 1);
        ring.put(ring.id(), ring.entries(), 0);
        ring.publish();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void goOnWhereTheLastOneStoppedWhereverThatWas(int descriptors) {
        Random random = new Random(descriptors);
        int used = 0;
        PackedDeviceRing ring = device(START_BASE);
        for (int life = 0; life < 1000; life++) {
            int out = made - used;
            int more = random.nextInt(SIZE / descriptors - out + 1);
            for (int i = 0; i < more; i++) {
                makeAvailable(descriptors);
            }
            for (int i = random.nextInt(made - used + 1); i > 0; i--) {
                use(ring, ++used);
                assertThat(takeBack(descriptors)).isTrue();
            }
            ring = device(START_BASE);
            ring.parts().clear();
            assertThat(ring.take(false)).as("life %d", life).isEqualTo(made > used);
            ring = device(START_BASE);
        }
        assertThat(used).isGreaterThan(500);
    }

    @Test
    void finishWhatTheLastOneWasShowing() {
        PackedDeviceRing ring = device(START_BASE);
        for (int i = 0; i < 5; i++) {
            makeAvailable(1);
        }
        // It had used four, and shown the third and the fourth when it was killed.
        for (int i = 2; i < 4; i++) {
            bytes.set(ValueLayout.JAVA_SHORT, 16L * i + 14, (short) (AVAILABLE | USED));
        }
        ring = device(START_BASE);
        for (int i = 0; i < 4; i++) {
            assertThat(takeBack(1)).isTrue();
        }
        use(ring, 5);
        assertThat(takeBack(1)).isTrue();
    }

    /** As a driver does that fills its receive ring and starts the device then, or is just about to. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, SIZE, SIZE + 3})
    void mindNothingThatTheDriverHoldsBack(int before) {
        PackedDeviceRing ring = device(START_BASE);
        for (int i = 0; i < before; i++) {
            makeAvailable(1);
            use(ring, i + 1);
            assertThat(takeBack(1)).isTrue();
        }
        long head = 16L * position + 14;
        short was = bytes.get(ValueLayout.JAVA_SHORT, head);
        for (int i = 0; i < SIZE; i++) {
            makeAvailable(1);
        }
        short is = bytes.get(ValueLayout.JAVA_SHORT, head);
        bytes.set(ValueLayout.JAVA_SHORT, head, was);
        ring = device(before == 0 ? START_BASE : ring.base());
        ring.parts().clear();
        assertThat(ring.take(false)).isFalse();
        bytes.set(ValueLayout.JAVA_SHORT, head, is);
        for (int i = before; i < before + SIZE; i++) {
            use(ring, i + 1);
            assertThat(takeBack(1)).isTrue();
        }
    }

    /** In the middle of the ring, by a front-end that has another one's ring moved here. */
    @Test
    void startWhereTheFrontEndSaysWhereNothingWasWrittenYet() {
        PackedDeviceRing ring = device(0x8003_8003);
        assertThat(ring.base()).isEqualTo(0x8003_8003);
        position = 3;
        clean = 3;
        makeAvailable(1);
        ring = device(0x8003_8003);
        use(ring, 1);
        assertThat(takeBack(1)).isTrue();
    }
}
