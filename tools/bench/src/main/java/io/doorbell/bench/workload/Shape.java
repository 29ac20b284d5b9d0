package io.doorbell.bench.workload;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How a NIC is used, alike by Doorbell and by testpmd. One word, to be told to another process.
 *
 * @param queues pairs of them, polled in turn by one thread
 * @param batch the most frames that are received, or sent, at a time
 * @param buffers in the pool; 0 for as many as each side takes by itself
 * @param length bytes in the longest frame, for which a buffer has room
 */
public record Shape(int queues, int batch, int buffers, int length) {

    /** As everything is measured, unless it is said how. */
    public static final Shape USUAL = new Shape(1, 32, 0, Workload.LENGTH);

    /** What both sides have room for in a buffer by themselves. */
    private static final int USUAL_ROOM = 2048;

    private static final int USUAL_MBUFS = 8192;
    /** testpmd takes no fewer. */
    private static final int LEAST_MBUFS = 1025;
    /** In front of a frame: RTE_PKTMBUF_HEADROOM. */
    private static final int MBUF_HEADROOM = 128;
    /** testpmd's own limit to the length of a frame. */
    private static final int USUAL_LONGEST = 1518;

    public Shape withQueues(int other) {
        return new Shape(other, batch, buffers, length);
    }

    Shape withBatch(int other) {
        return new Shape(queues, other, buffers, length);
    }

    Shape withBuffers(int other) {
        return new Shape(queues, batch, other, length);
    }

    public Shape withLength(int other) {
        return new Shape(queues, batch, buffers, other);
    }

    /** Bytes of a frame that a buffer has room for. */
    private int room() {
        return Math.max(length, USUAL_ROOM);
    }

    /** The configuration of a NIC of Doorbell's, but for the {@link #createPool pool}. */
    public NicConfig config() {
        return NicConfig.defaults().withQueues(queues).withBufferSize(FramePool.HEADROOM + room());
    }

    /** A pool of so many buffers, if their number is set. */
    public FramePool createPool() {
        return FramePool.create(buffers, FramePool.HEADROOM + room());
    }

    /** The options of testpmd. */
    public List<String> testpmd() {
        List<String> options = new ArrayList<>(List.of("--rxq=" + queues, "--txq=" + queues, "--burst=" + batch));
        options.add("--total-num-mbufs=" + (buffers == 0 ? USUAL_MBUFS : Math.max(buffers, LEAST_MBUFS)));
        options.add("--mbuf-size=" + (MBUF_HEADROOM + room()));
        if (length > USUAL_LONGEST) {
            options.add("--max-pkt-len=" + length);
        }
        return options;
    }

    public static Shape parse(String word) {
        int[] numbers =
                Arrays.stream(word.split(",", -1)).mapToInt(Integer::parseInt).toArray();
        return new Shape(numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    @Override
    public String toString() {
        return IntStream.of(queues, batch, buffers, length)
                .mapToObj(String::valueOf)
                .collect(Collectors.joining(","));
    }
}
