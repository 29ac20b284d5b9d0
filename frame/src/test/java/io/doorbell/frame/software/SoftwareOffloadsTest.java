package io.doorbell.frame.software;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.SendLimits;
import java.util.Arrays;
import java.util.Set;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SoftwareOffloadsTest {

    private static final int ROOM = 1600;
    private static final Packet TCP = new Packet(true, true, 0, 0, 12, 0x99, numbered(4000));
    private static final int SIZE = 1400;

    private static final SendLimits ABLE = new SendLimits(
            Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.MORE_SEGMENTS,
            Set.of(Segmentation.TCP4),
            true,
            14,
            1518,
            65536,
            3);

    private final FramePool pool = FramePool.create(16, FramePool.HEADROOM + ROOM);
    private final FrameBatch batch = new FrameBatch(16);
    private NarrowQueue queue = new NarrowQueue(SendLimits.plain(14, 1518));
    private SoftwareOffloads offloads = new SoftwareOffloads(queue, pool);

    private static byte[] numbered(int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    private void limits(SendLimits limits) {
        queue = new NarrowQueue(limits);
        offloads = new SoftwareOffloads(queue, pool);
    }

    @AfterEach
    void givesAllBuffersBack() {
        offloads.close();
        batch.release();
        assertThat(pool.available()).isEqualTo(pool.buffers());
        pool.close();
    }

    private Frame add(byte[] bytes) {
        int first = batch.size();
        for (int from = 0; from < bytes.length; from += ROOM) {
            pool.allocate(batch);
            batch.frame(batch.size() - 1)
                    .copyFrom(Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + ROOM)));
        }
        batch.join(first, batch.size() - first);
        return batch.frame(first);
    }

    private Frame addLarge() {
        Frame frame = add(TCP.undone());
        frame.needsChecksum(TCP.transport(), TCP.checksumOffset());
        frame.segment(Segmentation.TCP4, TCP.headers(), SIZE);
        return frame;
    }

    private byte[] sent(int index) {
        return queue.sent.get(index).bytes();
    }

    @Test
    void leavesTimeStampsToNicsWithAClock() {
        add(numbered(60)).needsTimeStamp();
        add(numbered(70));
        assertThat(offloads.limits().allow(batch, 0)).isFalse();
        offloads.send(batch);
        assertThat(offloads.dropped()).isEqualTo(1);
        assertThat(queue.sent).hasSize(1);
        offloads.close();

        limits(new SendLimits(Offloads.TIME_STAMP, Set.of(), false, 14, 1518, 0, 1));
        Frame frame = add(numbered(60));
        frame.vlanTag(7); // which is work
        frame.needsTimeStamp();
        assertThat(offloads.limits().allow(batch, 0)).isTrue();
        offloads.send(batch);
        assertThat(offloads.dropped()).isZero();
        assertThat(queue.sent).hasSize(1);
    }

    /** Whose own place counts as 0, and whose lowest byte goes first. */
    @Test
    void completesTheCrcOfSctp() {
        byte[] packet = numbered(90);
        add(packet).needsCrc32c(34);
        offloads.send(batch);
        byte[] whole = packet.clone();
        Arrays.fill(whole, 42, 46, (byte) 0);
        CRC32C crc = new CRC32C();
        crc.update(whole, 34, 56);
        long value = crc.getValue();
        for (int i = 0; i < 4; i++) {
            whole[42 + i] = (byte) (value >>> (8 * i));
        }
        assertThat(sent(0)).isEqualTo(whole);
        assertThat(offloads.dropped()).isZero();
    }

    @Test
    void keepsTheOrderOfFrames() {
        add(numbered(100));
        addLarge();
        add(numbered(101));
        assertThat(offloads.send(batch)).isEqualTo(5);
        assertThat(queue.sent).hasSize(5);
        assertThat(sent(0)).hasSize(100);
        assertThat(sent(1)).isEqualTo(TCP.segments(SIZE).get(0));
        assertThat(sent(3)).isEqualTo(TCP.segments(SIZE).get(2));
        assertThat(sent(4)).hasSize(101);
        assertThat(offloads.reclaim()).isZero();
    }

    @Test
    void goesOnWhereTheRingWasFull() {
        addLarge();
        add(numbered(101));
        queue.free = 2;
        offloads.send(batch);
        assertThat(queue.sent).hasSize(2);
        assertThat(offloads.reclaim()).isPositive();
        queue.free = 9;
        offloads.send(new FrameBatch(1));
        offloads.send(batch);
        assertThat(queue.sent).hasSize(4);
        assertThat(sent(3)).hasSize(101);
        assertThat(batch.isEmpty()).isTrue();
    }

    @Test
    void waitsForBuffers() {
        addLarge();
        FrameBatch others = new FrameBatch(16);
        pool.allocate(others, 16);
        assertThat(offloads.send(batch)).isEqualTo(3);
        assertThat(offloads.send(batch)).isZero();
        assertThat(queue.sent).isEmpty();
        others.release();
        offloads.send(batch);
        assertThat(queue.sent).hasSize(3);
    }

    @Test
    void leavesToTheNicWhatItDoes() {
        limits(new SendLimits(Offloads.NEEDS_CHECKSUM, Set.of(), false, 14, 1518, 0, 1));
        addLarge();
        offloads.send(batch);
        assertThat(queue.sent)
                .hasSize(3)
                .allSatisfy(it -> assertThat(it.offloads()).isEqualTo(Offloads.NEEDS_CHECKSUM));

        limits(new SendLimits(
                Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.MORE_SEGMENTS,
                Set.of(Segmentation.TCP4),
                true,
                14,
                1518,
                65536,
                3));
        addLarge();
        offloads.send(batch);
        assertThat(sent(0)).isEqualTo(TCP.undone());
        assertThat(queue.sent.get(0).offloads()).isEqualTo(Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT);
    }

    @Test
    void segmentsWhatHasCwrForANicThatWouldRepeatIt() {
        limits(new SendLimits(
                Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.MORE_SEGMENTS,
                Set.of(Segmentation.TCP4),
                false,
                14,
                1518,
                65536,
                3));
        addLarge();
        offloads.send(batch);
        assertThat(queue.sent).hasSize(3);
    }

    @Test
    void insertsAVlanTag() {
        Frame frame = add(numbered(100));
        frame.vlanTag(0x6123);
        frame.tag(7);
        offloads.send(batch);
        byte[] bytes = sent(0);
        assertThat(bytes).hasSize(104).startsWith(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x81, 0, 0x61, 0x23, 12, 13);
        assertThat(queue.sent.get(0).offloads()).isZero();
        assertThat(queue.sent.get(0).tag()).isEqualTo(7);
    }

    @Test
    void insertsATagIntoWhatItSegmentsToo() {
        addLarge().vlanTag(0x0100);
        offloads.send(batch);
        Packet tagged = new Packet(true, true, 1, 0, 12, 0x99, TCP.payload());
        byte[] expected = tagged.segments(SIZE).get(1);
        expected[14] = 1; // the packet's tags have other numbers
        expected[15] = 0;
        assertThat(sent(1)).isEqualTo(expected);
    }

    @Test
    void copiesWhatIsInTooManySlots() {
        add(numbered(100));
        add(numbered(60));
        batch.join(0, 2);
        offloads.send(batch);
        assertThat(sent(0)).hasSize(160);
        assertThat(Arrays.copyOfRange(sent(0), 100, 160)).isEqualTo(numbered(60));
    }

    @Test
    void dropsWhatIsTooLongAndGoesOn() {
        add(numbered(1519));
        add(numbered(2000));
        add(numbered(100));
        assertThat(offloads.send(batch)).isEqualTo(4);
        assertThat(offloads.dropped()).isEqualTo(2);
        assertThat(queue.sent).hasSize(1);
    }

    @Test
    void dropsWhatCannotBeAsItSays() {
        add(numbered(100));
        batch.join(0, 1);
        batch.frame(0).needsChecksum(60, 16);
        batch.frame(0).length(70);
        add(numbered(101)).addOffloads(Offloads.MORE_SEGMENTS);
        assertThat(offloads.send(batch)).isEqualTo(2);
        assertThat(offloads.dropped()).isEqualTo(2);
        assertThat(queue.sent).isEmpty();
    }

    @Test
    void makesWhatWaitsFitANicThatTakesLessSinceItWasReset() {
        limits(ABLE);
        add(numbered(96)).vlanTag(1); // takes work, so that this and all behind it waits here
        addLarge();
        addLarge();
        queue.free = 0;
        assertThat(offloads.send(batch)).isPositive();
        queue.limits = SendLimits.plain(14, 1518);
        queue.free = 4;
        add(numbered(101));

        offloads.send(batch);
        assertThat(queue.sent).hasSizeBetween(1, 4);
        queue.free = Integer.MAX_VALUE;
        while (!batch.isEmpty() || offloads.reclaim() > 0) {
            offloads.send(batch);
        }

        assertThat(offloads.dropped()).isZero();
        assertThat(queue.sent).hasSize(8);
        assertThat(sent(0)).hasSize(100);
        for (int i = 0; i < 3; i++) {
            assertThat(sent(1 + i)).isEqualTo(TCP.segments(SIZE).get(i));
            assertThat(sent(4 + i)).isEqualTo(TCP.segments(SIZE).get(i));
        }
        assertThat(sent(7)).hasSize(101);
    }

    @Test
    void goesOnWithAFrameThatIsHalfSegmentedWhenTheNicTakesLess() {
        limits(new SendLimits(Offloads.NEEDS_CHECKSUM, Set.of(), false, 14, 1518, 0, 1));
        addLarge();
        FrameBatch others = new FrameBatch(16);
        pool.allocate(others, 12); // room for one segment beside the large frame
        queue.free = 1;
        offloads.send(batch);
        assertThat(queue.sent).hasSize(1);
        queue.free = 9;
        queue.limits = SendLimits.plain(14, 1518);

        while (offloads.reclaim() > 0) {
            offloads.send(batch);
        }
        others.release();

        assertThat(queue.sent).hasSize(3);
        assertThat(sent(1)).isEqualTo(TCP.segments(SIZE).get(1));
        assertThat(sent(2)).isEqualTo(TCP.segments(SIZE).get(2));
    }

    @Test
    void dropsWhatTheNicDoesNotTakeAnyMoreAndGoesOn() {
        addLarge();
        queue.free = 0;
        assertThat(offloads.send(batch)).isPositive();
        queue.limits = SendLimits.plain(14, 1000);
        queue.free = 9;
        add(numbered(100));

        while (!batch.isEmpty() || offloads.reclaim() > 0) {
            offloads.send(batch);
        }

        assertThat(offloads.dropped()).isEqualTo(3);
        assertThat(queue.sent).hasSize(1);
        assertThat(sent(0)).hasSize(100);
    }

    @Test
    void doesNotStandStillBeforeAFrameOfAPoolThatTheNicDoesNotKnow() {
        add(numbered(100));
        queue.free = 0;
        addLarge();
        assertThat(offloads.send(batch)).isPositive();
        queue.stranger = pool;
        queue.free = 9;

        assertThatThrownBy(() -> offloads.send(batch))
                .isInstanceOf(DoorbellException.class)
                .hasMessageStartingWith("a stranger's");

        assertThat(offloads.dropped()).isPositive();
        queue.stranger = null;
        add(numbered(101));
        while (!batch.isEmpty()) {
            offloads.send(batch);
        }
        assertThat(sent(0)).hasSize(101);
    }

    @Test
    void saysWhatCanBeAskedForOfIt() {
        SendLimits limits = offloads.limits();
        addLarge().vlanTag(1);
        assertThat(limits.allow(batch, 0)).isTrue();
        assertThat(limits.segmentations()).containsExactlyInAnyOrder(Segmentation.values());
        assertThat(limits.longest()).isEqualTo(1518);
    }
}
