package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.virtio.queue.PackedRing;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What devices do that QEMU does not: nothing, or something else. */
@ParameterizedClass
@ValueSource(booleans = {false, true})
class ControlQueueTest {

    private static final int SIZE = 4;

    private final Arena arena = Arena.ofShared();
    private final List<DmaRegion> regions = new ArrayList<>();
    private final boolean packed;
    private final ControlQueue queue;

    ControlQueueTest(boolean packed) {
        this.packed = packed;
        DmaSpace space = new DmaSpace() {
            @Override
            public DmaRegion allocate(long bytes) {
                MemorySegment memory = arena.allocate(bytes, 4096);
                regions.add(new DmaRegion(memory, memory.address(), 4096, () -> {}));
                return regions.getLast();
            }

            @Override
            public DmaRegion register(MemorySegment memory) {
                throw new UnsupportedOperationException();
            }

            @Override
            public void close() {}
        };
        long agreed = Feature.VIRTIO_NET_F_CTRL_VQ.mask()
                | Feature.VIRTIO_NET_F_CTRL_RX.mask()
                | (packed ? Feature.VIRTIO_F_RING_PACKED.mask() : 0);
        queue = new ControlQueue("control", space, SIZE, new Features(agreed, agreed), () -> {}, Duration.ofMillis(50));
        queue.prepare();
    }

    @AfterEach
    void close() {
        arena.close();
    }

    private MemorySegment commandMemory() {
        return regions.get(0).segment();
    }

    private MemorySegment ring() {
        return regions.get(1).segment();
    }

    private long deviceArea() {
        return queue.addresses().deviceArea() - queue.addresses().descriptorArea();
    }

    /** Returns the first chain with this id, and this answer in it. */
    private void answer(int id, int count, int answer) {
        commandMemory().set(ValueLayout.JAVA_BYTE, 2, (byte) answer);
        if (packed) {
            ring().set(ValueLayout.JAVA_LONG, 8, PackedRing.USED_AT_FIRST | (long) id << 32 | 1);
        } else {
            ring().set(ValueLayout.JAVA_INT, deviceArea() + 4, id);
            ring().set(ValueLayout.JAVA_SHORT, deviceArea() + 2, (short) count);
        }
    }

    private void promiscuous() {
        queue.command(ControlCommand.RX_PROMISC, (byte) 1);
    }

    @Test
    void putsCommandDataAndAnswerIntoOneChain() {
        queue.start(() -> {
            assertThat(commandMemory().asSlice(0, 3).toArray(ValueLayout.JAVA_BYTE))
                    .containsExactly(0, 0, 0xff);
            assertThat(commandMemory().get(ValueLayout.JAVA_BYTE, 16)).isEqualTo((byte) 1);
            long base = commandMemory().address();
            assertThat(new long[] {address(0), address(1), address(2)}).containsExactly(base, base + 16, base + 2);
            assertThat(new int[] {length(0), length(1), length(2)}).containsExactly(2, 1, 1);
            // NEXT is 1, WRITE is 2.
            assertThat(new int[] {flags(0), flags(1), flags(2)}).containsExactly(1, 1, 2);
            answer(0, 1, 0);
        });
        promiscuous();
        assertThat(queue.counters().frames).isEqualTo(1);
    }

    private long address(int descriptor) {
        return ring().get(ValueLayout.JAVA_LONG, descriptor * 16L);
    }

    private int length(int descriptor) {
        return ring().get(ValueLayout.JAVA_INT, descriptor * 16L + 8);
    }

    private int flags(int descriptor) {
        return ring().get(ValueLayout.JAVA_SHORT, descriptor * 16L + (packed ? 14 : 12)) & 3;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void givesUpOnADeviceThatDoesNotAnswerUntilItIsStartedAgain(boolean late) {
        queue.start(() -> {});
        assertThatThrownBy(this::promiscuous)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("waited 50 ms for control to answer VIRTIO_NET_CTRL_RX_PROMISC");
        if (late) {
            answer(0, 1, 0);
        }
        assertThatThrownBy(this::promiscuous)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("is stopped");
        queue.stop();
        queue.prepare();
        queue.start(() -> answer(0, 1, 0));
        promiscuous();
        assertThat(queue.counters().frames).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "65535, 1", "0, 2", "0, 65535"})
    void stopsWhenTheDeviceReturnsWhatItDoesNotHave(int id, int count) {
        int claimed = packed && count != 1 ? count : id;
        queue.start(() -> answer(claimed, count, 0));
        assertThatThrownBy(this::promiscuous)
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("it has one, 0");
        assertThatThrownBy(this::promiscuous).hasMessageContaining("is stopped");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 255})
    void stopsWhenTheAnswerIsNone(int answer) {
        queue.start(() -> answer(0, 1, answer));
        assertThatThrownBy(this::promiscuous)
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("with " + answer);
        assertThatThrownBy(this::promiscuous).hasMessageContaining("is stopped");
    }

    @Test
    void givesNoCommandThatWasNotAgreedOn() {
        queue.start(() -> answer(0, 1, 0));
        assertThatThrownBy(() -> queue.command(ControlCommand.VLAN_ADD, (byte) 5, (byte) 0))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("VIRTIO_NET_F_CTRL_VLAN is not in use");
        assertThat(queue.counters().kicks).isZero();
    }
}
