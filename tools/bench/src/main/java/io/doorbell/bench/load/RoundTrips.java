package io.doorbell.bench.load;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;

/** How long frames were on their way, there and back, in nanoseconds; and how many never came back. */
public final class RoundTrips {

    private static final long LONGEST = 60_000_000_000L;
    private static final int DIGITS = 3;

    private final Histogram histogram;
    private long from;
    private long lost;

    public RoundTrips() {
        this(new Histogram(LONGEST, DIGITS), 0);
    }

    private RoundTrips(Histogram histogram, long lost) {
        this.histogram = histogram;
        this.lost = lost;
    }

    /** As {@link #toString} wrote it. */
    public static RoundTrips parse(String line) {
        String[] words = line.split(" ", -1);
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(words[1]));
            return new RoundTrips(Histogram.decodeFromCompressedByteBuffer(bytes, LONGEST), Long.parseLong(words[0]));
        } catch (DataFormatException e) {
            throw new IllegalArgumentException("no histogram: " + line, e);
        }
    }

    /** Frames that are due before this time do not count. */
    void recordFrom(long time) {
        from = time;
    }

    void sent(long due) {
        if (due - from >= 0) {
            lost++;
        }
    }

    void received(long due, long now) {
        if (due - from >= 0) {
            lost--;
            histogram.recordValue(Math.clamp(now - due, 0, LONGEST));
        }
    }

    /** Frames that were sent and have not come back; for good, once the run is over. */
    public long underway() {
        return lost;
    }

    public void add(RoundTrips other) {
        histogram.add(other.histogram);
        lost += other.lost;
    }

    /** Frames that came back. */
    public long count() {
        return histogram.getTotalCount();
    }

    /** In microseconds: that many percent of the frames took no longer. */
    public double percentile(double percent) {
        return histogram.getValueAtPercentile(percent) / 1e3;
    }

    public double longest() {
        return histogram.getMaxValue() / 1e3;
    }

    public Histogram histogram() {
        return histogram;
    }

    @Override
    public String toString() {
        ByteBuffer bytes = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
        int length = histogram.encodeIntoCompressedByteBuffer(bytes);
        byte[] used = new byte[length];
        bytes.get(0, used);
        return lost + " " + Base64.getEncoder().encodeToString(used);
    }
}
