package io.doorbell.virtio.net;

/** Toeplitz's hash function, bit by bit, as the specification describes it (5.1.6.4.3): the judge of a device's hashes. */
final class Toeplitz {

    private Toeplitz() {}

    /** For each bit of the input that is set, the 32 bits of the key that start at its position are added, modulo 2. */
    static int hash(byte[] key, byte... input) {
        int hash = 0;
        for (int bit = 0; bit < 8 * input.length; bit++) {
            if (bit(input, bit)) {
                for (int i = 0; i < Integer.SIZE; i++) {
                    hash ^= bit(key, bit + i) ? Integer.MIN_VALUE >>> i : 0;
                }
            }
        }
        return hash;
    }

    private static boolean bit(byte[] bytes, int index) {
        return (bytes[index / 8] << index % 8 & 0x80) != 0;
    }
}
