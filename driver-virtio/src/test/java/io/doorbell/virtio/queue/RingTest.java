package io.doorbell.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.virtio.header.RxBuffers;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Each ring layout against a device that keeps to the specification, or breaks it where a test says so. */
@ParameterizedClass
@EnumSource
class RingTest {

    private static final int SIZE = 8;
    private static final int BUFFERS = 40;

    private final Layout layout;
    private final Rig rig;
    private final FrameBatch batch = new FrameBatch(BUFFERS);

    RingTest(Layout layout) {
        this.layout = layout;
        this.rig = new Rig(layout, SIZE, BUFFERS);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    /** The device puts a frame of {@code length} bytes, the first of which is {@code mark}, into the next buffer. */
    private int deliver(int length, int mark) {
        assertThat(rig.rxFar.take()).isTrue();
        assertThat(rig.rxFar.isWritable()).isTrue();
        assertThat(rig.rxFar.length()).isEqualTo(Rig.HEADER + 192);
        rig.memory.segment().set(ValueLayout.JAVA_BYTE, rig.rxFar.address() + Rig.HEADER, (byte) mark);
        return rig.rxFar.id();
    }

    private void arrive(int length, int mark) {
        rig.rxFar.use(deliver(length, mark), Rig.HEADER + length);
        rig.rxFar.publish();
    }

    private void allocate(int frames) {
        rig.pool.allocate(batch, frames);
        for (int i = 0; i < batch.size(); i++) {
            batch.frame(i).length(60);
        }
    }

    @Test
    void armsEveryDescriptorAtTheStart() {
        for (int i = 0; i < SIZE; i++) {
            assertThat(rig.rxFar.take()).isTrue();
        }
        assertThat(rig.rxFar.take()).isFalse();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS - SIZE);
        assertThat(rig.rxKicks).isEqualTo(1);
    }

    @Test
    void tellsOfReceiveBuffersWhenNoFrameIsThereOrHalfARingIsUntold() {
        assumeTrue(layout != Layout.SPLIT_EVENT_INDEX, "this device names no index to be told at");
        arrive(60, 1);
        arrive(60, 2);
        assertThat(rig.rx.receive(batch)).isEqualTo(2);
        assertThat(rig.rxKicks).as("two buffers have just been armed").isEqualTo(1);

        assertThat(rig.rx.receive(batch)).isZero();
        assertThat(rig.rxKicks).isEqualTo(2);
        assertThat(rig.rx.receive(batch)).isZero();
        assertThat(rig.rxKicks).as("there is nothing more to tell").isEqualTo(2);

        for (int i = 0; i < SIZE / 2; i++) {
            arrive(60, i);
        }
        assertThat(rig.rx.receive(batch)).isEqualTo(SIZE / 2);
        assertThat(rig.rxKicks).isEqualTo(3);
    }

    @Test
    void receivesManyLapsInOrder() {
        for (int i = 0; i < 10_000; i++) {
            arrive(14 + i % 179, i);
            if (i % 3 == 2) {
                assertThat(rig.rx.receive(batch)).isEqualTo(3);
                for (int j = 0; j < 3; j++) {
                    assertThat(batch.frame(j).getByte(0)).isEqualTo((byte) (i - 2 + j));
                    assertThat(batch.frame(j).length()).isEqualTo(14 + (i - 2 + j) % 179);
                }
                batch.release();
            }
        }
        assertThat(rig.rx.counters().frames).isEqualTo(9_999);
    }

    @Test
    void takesNoMoreThanTheBatchHolds() {
        for (int i = 0; i < 5; i++) {
            arrive(60, i);
        }
        FrameBatch small = new FrameBatch(2);
        assertThat(rig.rx.receive(small)).isEqualTo(2);
        assertThat(rig.rx.receive(small)).isZero();
        assertThat(rig.rx.receive(batch)).isEqualTo(3);
        assertThat(batch.frame(2).getByte(0)).isEqualTo((byte) 4);
    }

    @Test
    void receivesWhatTheDeviceUsedOutOfOrder() {
        Assumptions.assumeFalse(layout.isInOrder());
        for (int lap = 0; lap < 1000; lap++) {
            int first = deliver(60, 1);
            int second = deliver(61, 2);
            int third = deliver(62, 3);
            rig.rxFar.use(third, Rig.HEADER + 62);
            rig.rxFar.use(first, Rig.HEADER + 60);
            rig.rxFar.use(second, Rig.HEADER + 61);
            rig.rxFar.publish();
            assertThat(rig.rx.receive(batch)).isEqualTo(3);
            assertThat(batch.frame(0).getByte(0)).isEqualTo((byte) 3);
            assertThat(batch.frame(1).getByte(0)).isEqualTo((byte) 1);
            assertThat(batch.frame(2).getByte(0)).isEqualTo((byte) 2);
            batch.release();
        }
    }

    @Test
    void refusesAnotherOrderThanThePromisedOne() {
        // In a packed ring, it means that both are used.
        Assumptions.assumeTrue(layout == Layout.SPLIT_IN_ORDER);
        deliver(60, 1);
        rig.rxFar.use(deliver(60, 2), Rig.HEADER + 60);
        rig.rxFar.publish();
        assertThatThrownBy(() -> rig.rx.receive(batch))
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("buffer 1 before buffer 0")
                .hasMessageContaining("VIRTIO_F_IN_ORDER");
    }

    @Test
    void handsOnWhatArrivedBeforeALie() {
        arrive(60, 1);
        deliver(60, 2);
        rig.rxFar.use(rig.rxFar.id(), Rig.HEADER + 193);
        rig.rxFar.publish();
        assertThatThrownBy(() -> rig.rx.receive(batch))
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("205 bytes")
                .hasMessageContaining("13 to 204 bytes");
        assertThat(batch.size()).isEqualTo(1);
        assertThat(rig.rx.counters().frames).isEqualTo(1);
        rig.rx.stop();
        batch.release();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS);
    }

    @Test
    void refusesABufferThatWasUsedAlready() {
        arrive(60, 1);
        assertThat(rig.rx.receive(batch)).isEqualTo(1);
        rig.rxFar.use(0, Rig.HEADER + 60);
        rig.rxFar.publish();
        assertThatThrownBy(() -> rig.rx.receive(batch))
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("says buffer 0");
    }

    @Test
    void goesOnOnceTheStarvedPoolHasBuffersAgain() {
        FrameBatch hoard = new FrameBatch(BUFFERS);
        rig.pool.allocate(hoard, BUFFERS);
        for (int i = 0; i < SIZE; i++) {
            arrive(60, i);
        }
        assertThat(rig.rx.receive(batch)).isEqualTo(SIZE);
        assertThat(rig.rxFar.take()).isFalse();
        hoard.release();
        assertThat(rig.rx.receive(batch)).isZero();
        arrive(60, 99);
        assertThat(rig.rx.receive(batch)).isEqualTo(1);
    }

    @Test
    void asksForTheDevicesHealthAfterManyVainPolls() {
        for (int i = 0; i < RxBuffers.IDLE_POLL_LIMIT; i++) {
            rig.rx.receive(batch);
        }
        assertThat(rig.healthChecks).isEqualTo(1);
    }

    @Test
    void sendsUntilTheRingIsFullAndNoFurther() {
        allocate(SIZE + 3);
        assertThat(rig.tx.send(batch)).isEqualTo(SIZE);
        assertThat(rig.tx.send(batch)).isZero();
        assertThat(batch.size()).isEqualTo(3);
        assertThat(rig.tx.reclaim()).isEqualTo(SIZE);
        assertThat(rig.txFar.take()).isTrue();
        assertThat(rig.txFar.length()).isEqualTo(Rig.HEADER + 60);
        assertThat(rig.txFar.isWritable()).isFalse();
        rig.txFar.use(rig.txFar.id(), 0);
        rig.txFar.publish();
        assertThat(rig.tx.send(batch)).isEqualTo(1);
    }

    @Test
    void takesBackNoMoreOfAPackedRingThanItNeeds() {
        assumeTrue(layout.isPacked(), "with a split ring, one look at the used index tells of all");
        allocate(SIZE);
        assertThat(rig.tx.send(batch)).isEqualTo(SIZE);
        for (int i = 0; i < SIZE; i++) {
            assertThat(rig.txFar.take()).isTrue();
            rig.txFar.use(rig.txFar.id(), 0);
        }
        rig.txFar.publish();
        int free = rig.pool.available();

        allocate(1);
        assertThat(rig.tx.send(batch)).isEqualTo(1);
        assertThat(rig.pool.available()).as("a quarter of the ring").isEqualTo(free - 1 + SIZE / 4);
        assertThat(rig.tx.reclaim()).as("the one that was sent last").isEqualTo(1);
        assertThat(rig.pool.available()).isEqualTo(free - 1 + SIZE);
    }

    @Test
    void showsTheDeviceNothingOfABatchThatWasRefused() {
        for (int lap = 0; lap < 5 * SIZE; lap++) {
            allocate(4);
            batch.frame(3).length(5);
            assertThatThrownBy(() -> rig.tx.send(batch)).hasMessageContaining("a frame of 5 bytes");
            assertThat(rig.txFar.take()).isFalse();
            for (int i = 3; i > 0; i--) {
                batch.release(i);
            }
            assertThat(rig.tx.send(batch)).isEqualTo(1);
            assertThat(rig.txFar.take()).isTrue();
            assertThat(rig.txFar.take())
                    .as("what was written behind it is not available")
                    .isFalse();
            rig.txFar.use(rig.txFar.id(), 0);
            rig.txFar.publish();
        }
        assertThat(rig.tx.reclaim()).isZero();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS - SIZE);
    }

    @Test
    void sendsManyLapsWithAClearHeader() {
        for (int i = 0; i < 10_000; i++) {
            allocate(1 + i % 5);
            for (int j = 0; j < batch.size(); j++) {
                batch.frame(j).setByte(0, (byte) (i + j));
            }
            int count = batch.size();
            assertThat(rig.tx.send(batch)).isEqualTo(count);
            for (int j = 0; j < count; j++) {
                assertThat(rig.txFar.take()).isTrue();
                long at = rig.txFar.address();
                assertThat(rig.memory.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, at))
                        .isZero();
                assertThat(rig.memory.segment().get(ValueLayout.JAVA_INT_UNALIGNED, at + 8))
                        .isZero();
                assertThat(rig.memory.segment().get(ValueLayout.JAVA_BYTE, at + Rig.HEADER))
                        .isEqualTo((byte) (i + j));
                // The next user of this buffer finds a header that is not clear.
                rig.memory.segment().set(ValueLayout.JAVA_INT_UNALIGNED, at + 4, i);
                rig.txFar.use(rig.txFar.id(), 0);
            }
            rig.txFar.publish();
        }
        assertThat(rig.tx.reclaim()).isZero();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS - SIZE);
    }

    @Test
    void takesBackABatchThatTheDeviceUsedAsOne() {
        Assumptions.assumeTrue(layout.isInOrder());
        QueuePeer far = rig.txFar;
        for (int i = 0; i < 1000; i++) {
            int count = 1 + i % 7;
            allocate(count);
            assertThat(rig.tx.send(batch)).isEqualTo(count);
            for (int j = 0; j < count; j++) {
                assertThat(far.take()).isTrue();
            }
            far.useBatch(far.id(), 0, count);
            far.publish();
            assertThat(rig.tx.reclaim()).isZero();
        }
        assertThat(rig.pool.available()).isEqualTo(BUFFERS - SIZE);
    }

    /** Those before the last one are full then: the device says nothing else of them. */
    @Test
    void receivesABatchThatTheDeviceUsedAsOne() {
        Assumptions.assumeTrue(layout.isInOrder());
        FrameBatch small = new FrameBatch(3);
        int sent = 0;
        int received = 0;
        for (int lap = 0; lap < 2000; lap++) {
            int count = 1 + lap % 5;
            for (int i = 0; i < count; i++) {
                deliver(192, sent++);
            }
            rig.rxFar.useBatch(rig.rxFar.id(), Rig.HEADER + 60, count);
            if (lap % 3 == 0) {
                arrive(70, sent++);
                count++;
            }
            rig.rxFar.publish();
            for (int seen = 0; seen < count; ) {
                assertThat(rig.rx.receive(small)).isPositive();
                for (int i = 0; i < small.size(); i++) {
                    assertThat(small.frame(i).getByte(0)).isEqualTo((byte) received++);
                    seen++;
                    int last = lap % 3 == 0 ? count - 1 : count;
                    int length = seen < last ? 192 : seen == last ? 60 : 70;
                    assertThat(small.frame(i).length()).isEqualTo(length);
                }
                small.release();
            }
            assertThat(rig.rx.receive(small)).isZero();
        }
        rig.rx.stop();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS);
    }

    /** No frame is without an Ethernet header. */
    @Test
    void dropsAndCountsAFrameThatIsTooShortToBeOne() {
        for (int lap = 0; lap < 3 * SIZE; lap++) {
            arrive(60, 1);
            arrive(lap % 13 + 1, 2);
            arrive(14, 3);
            assertThat(rig.rx.receive(batch)).isEqualTo(2);
            assertThat(batch.frame(0).length()).isEqualTo(60);
            assertThat(batch.frame(1).length()).isEqualTo(14);
            assertThat(batch.frame(1).getByte(0)).isEqualTo((byte) 3);
            batch.release();
        }
        assertThat(rig.rx.counters().errors).isEqualTo(3 * SIZE);
        assertThat(rig.rx.counters().frames).isEqualTo(6 * SIZE);
        assertThat(rig.rx.counters().bytes).isEqualTo(3 * SIZE * 74);
        rig.rx.stop();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS);
    }

    @Test
    void refusesToTakeBackWhatItDidNotSend() {
        allocate(2);
        rig.tx.send(batch);
        rig.txFar.use(5, 0);
        if (layout == Layout.SPLIT_IN_ORDER) {
            // The index alone counts there.
            for (int i = 0; i < 2; i++) {
                rig.txFar.use(5, 0);
            }
        }
        rig.txFar.publish();
        assertThatThrownBy(() -> rig.tx.reclaim())
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageStartingWith("tx: ")
                .hasMessageContaining("the queue has stopped");
        assertThatThrownBy(() -> rig.tx.send(batch)).isInstanceOf(IllegalStateException.class);
        rig.tx.stop();
        rig.rx.stop();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS);
    }
}
