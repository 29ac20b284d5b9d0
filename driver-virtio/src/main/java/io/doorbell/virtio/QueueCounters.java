package io.doorbell.virtio;

/**
 * What one queue has counted since the NIC was opened. Written by the thread that polls the queue and read by others
 * without synchronization: a reader may be behind by the counts of a few microseconds, never off by more (a long is
 * written whole on the 64-bit machines that Doorbell runs on).
 */
final class QueueCounters {

    long frames;
    long bytes;

    /** Frames that arrived and were dropped, since they could not be what the device said or no batch could hold them. */
    long errors;

    /** How often the device was told of new buffers. */
    long kicks;

    /** Counts {@code count} frames, whose bytes are in the array. */
    void add(int[] lengths, int count) {
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += lengths[i];
        }
        frames += count;
        bytes += sum;
    }
}
