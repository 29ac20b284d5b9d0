package io.doorbell.frame.spi;

/**
 * What one queue has counted since the NIC was opened. Written by the thread that polls the queue and read by others
 * without synchronization: a reader may be behind by the counts of a few microseconds, never off by more (a long is
 * written whole on the 64-bit machines that Doorbell runs on).
 */
public final class QueueCounters {

    /** Frames that the application received, or gave to the device. */
    public long frames;

    /** Bytes in these frames. */
    public long bytes;

    /** Frames that arrived and were dropped, since they could not be what the device said or no batch could hold them. */
    public long errors;

    /** How often a receive ring wanted buffers and the pool had none. */
    public long starved;

    /** How often the device was told of new buffers. */
    public long kicks;

    /** Makes counters that have counted nothing. */
    public QueueCounters() {}

    /** Counts {@code count} frames, whose bytes are in the array. */
    public void add(int[] lengths, int count) {
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += lengths[i];
        }
        frames += count;
        bytes += sum;
    }
}
