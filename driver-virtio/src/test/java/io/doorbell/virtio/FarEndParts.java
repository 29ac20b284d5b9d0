package io.doorbell.virtio;

/** The pieces of one buffer. */
final class FarEndParts {

    private final long[] addresses = new long[TxTables.MOST];
    private final int[] lengths = new int[TxTables.MOST];
    private int count;

    void clear() {
        count = 0;
    }

    void add(long address, int length) {
        if (count == TxTables.MOST) {
            return; // a far end that has scrambled the ring finds anything there
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
