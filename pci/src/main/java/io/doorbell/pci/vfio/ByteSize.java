package io.doorbell.pci.vfio;

import java.util.List;

/** Sizes as people read them. */
final class ByteSize {

    private static final List<String> UNITS = List.of("bytes", "KiB", "MiB", "GiB", "TiB");

    private ByteSize() {}

    /** In the largest unit that it is a whole number of: {@code 2 MiB}, {@code 2052 KiB}. */
    static String of(long bytes) {
        int unit = 0;
        long amount = bytes;
        while (amount >= 1024 && amount % 1024 == 0 && unit < UNITS.size() - 1) {
            amount /= 1024;
            unit++;
        }
        return amount + " " + UNITS.get(unit);
    }
}
