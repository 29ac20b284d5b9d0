package io.doorbell.frame.software;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.SendLimits;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What comes out is what a packet put together byte by byte would be; and nothing that a stranger says breaks anything. */
class SoftwareOffloadsPropertyTest {

    private static final int BUFFERS = 96;
    private static final int ROOM = 700;
    private static final int BUFFER_SIZE = FramePool.HEADROOM + ROOM;

    private final FramePool pool =
            FramePool.in(Arena.ofAuto().allocate(FramePool.bytesFor(BUFFERS, BUFFER_SIZE), 64), BUFFERS, BUFFER_SIZE);

    private Packet packet(Random random, int payload) {
        byte[] bytes = new byte[payload];
        random.nextBytes(bytes);
        return new Packet(
                random.nextBoolean(),
                random.nextBoolean(),
                random.nextInt(3),
                4 * random.nextInt(11),
                4 * random.nextInt(11),
                random.nextInt(256),
                bytes);
    }

    /** In as many slots as it takes, the first of which has the headers, and the others what chance has it. */
    private void add(FrameBatch batch, byte[] bytes, int headers, Random random) {
        int first = batch.size();
        int from = 0;
        while (from < bytes.length) {
            int least = from == 0 ? headers : 1;
            int most = Math.min(ROOM, bytes.length - from);
            int count = random.nextInt(3) > 0 ? most : least + random.nextInt(most - least + 1);
            Frame frame = pool.allocate(batch);
            assertThat(frame).isNotNull();
            frame.copyFrom(Arrays.copyOfRange(bytes, from, from + count));
            from += count;
        }
        batch.join(first, batch.size() - first);
        batch.frame(first).tag(42);
    }

    private static Segmentation by(Packet packet) {
        return packet.tcp() ? packet.ipv4() ? Segmentation.TCP4 : Segmentation.TCP6 : Segmentation.UDP;
    }

    private List<byte[]> sendAll(NarrowQueue queue, FrameBatch batch, Random random) {
        try (SoftwareOffloads offloads = new SoftwareOffloads(queue, pool)) {
            for (int i = 0; i < 100_000 && !(batch.isEmpty() && offloads.reclaim() == 0); i++) {
                queue.free = random.nextInt(9);
                int before = batch.size();
                assertThat(offloads.send(batch)).isEqualTo(before - batch.size());
            }
            assertThat(batch.isEmpty()).isTrue();
            assertThat(offloads.dropped()).isZero();
        }
        assertThat(pool.available()).isEqualTo(pool.buffers());
        return queue.sent.stream().map(NarrowQueue.Sent::bytes).toList();
    }

    @Property
    void segmentsAsTheProtocolsHaveIt(
            @ForAll Random random,
            @ForAll @IntRange(max = 12_000) int payload,
            @ForAll @IntRange(min = 40, max = 500) int size) {
        Packet packet = packet(random, payload);
        FrameBatch batch = new FrameBatch(BUFFERS);
        add(batch, packet.undone(), packet.headers(), random);
        batch.frame(0).needsChecksum(packet.transport(), packet.checksumOffset());
        batch.frame(0).segment(by(packet), packet.headers(), size);

        List<byte[]> sent = sendAll(
                new NarrowQueue(new SendLimits(Offloads.MORE_SEGMENTS, java.util.Set.of(), false, 14, 1518, 0, 3)),
                batch,
                random);

        assertThat(sent).containsExactlyElementsOf(packet.segments(size));
    }

    @Property
    void completesChecksums(@ForAll Random random, @ForAll @IntRange(max = 1200) int payload) {
        Packet packet = packet(random, payload);
        FrameBatch batch = new FrameBatch(BUFFERS);
        add(batch, packet.undone(), packet.headers(), random);
        batch.frame(0).needsChecksum(packet.transport(), packet.checksumOffset());

        List<byte[]> sent = sendAll(
                new NarrowQueue(new SendLimits(Offloads.MORE_SEGMENTS, java.util.Set.of(), false, 14, 1518, 0, 3)),
                batch,
                random);

        assertThat(sent).containsExactly(packet.whole());
    }

    /** Bytes and words are chance's: it is dropped, or sent as something, and all buffers come back. */
    @Property
    void survivesWhateverAFrameSays(@ForAll Random random) {
        FrameBatch batch = new FrameBatch(BUFFERS);
        Packet packet = packet(random, random.nextInt(3000));
        byte[] bytes = packet.undone();
        for (int i = random.nextInt(4); i > 0; i--) {
            bytes[random.nextInt(Math.min(bytes.length, 80))] = (byte) random.nextInt();
        }
        add(batch, bytes, 14, random);
        Frame first = batch.frame(0);
        if (random.nextInt(4) > 0 && first.length() > 2) {
            int offset = random.nextInt(3) > 0 ? packet.checksumOffset() : random.nextInt(20);
            int start = random.nextInt(3) > 0 ? packet.transport() : random.nextInt(first.length());
            if (start + offset <= first.length() - 2) {
                first.needsChecksum(start, offset);
            }
        }
        if (random.nextBoolean()) {
            Segmentation by = Segmentation.values()[random.nextInt(3)];
            first.segment(by, 1 + random.nextInt(first.length()), 1 + random.nextInt(70_000));
        }
        if (random.nextBoolean()) {
            first.vlanTag(random.nextInt(65536));
        }
        if (random.nextInt(4) == 0) {
            first.length(random.nextInt(first.length() + 1));
        }
        NarrowQueue queue = new NarrowQueue(SendLimits.plain(14, 600));
        try (SoftwareOffloads offloads = new SoftwareOffloads(queue, pool)) {
            for (int i = 0; i < 10_000 && !(batch.isEmpty() && offloads.reclaim() == 0); i++) {
                queue.free = 5;
                offloads.send(batch);
            }
            assertThat(batch.isEmpty()).isTrue();
            assertThat(queue.sent.size() + offloads.dropped()).isPositive();
        }
        assertThat(pool.available()).isEqualTo(pool.buffers());
    }
}
