package io.doorbell.virtio.queue;

/** The pieces of one buffer. */
final class QueuePeerParts {

    private final long[] addresses = new long[IndirectTables.MOST];
    private final int[] lengths = new int[IndirectTables.MOST];
    private int count;

    void clear() {
        count = 0;
    }

    void add(long address, int length) {
        if (count == IndirectTables.MOST) {
            return; // a device that has scrambled the ring finds anything there
        }
        addresses[count] = address;
        lengths[count] = length;
        count++;
    }

    int count() {
        return count;
    }

    long address(int part) {
        return addresses[part];
    }

    int length(int part) {
        return lengths[part];
    }
}
