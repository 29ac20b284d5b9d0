package io.doorbell.frame;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * What a NIC has counted since it was opened. 64 bits each, whatever the width of the device's own counters.
 *
 * @param rxFrames good frames received
 * @param rxBytes bytes in them, as the device counts them (an Intel NIC counts the frame check sequence too)
 * @param rxMissed frames lost because the ring had no free descriptor or the device's buffer was full
 * @param rxErrors frames lost because they were damaged
 * @param txFrames frames sent
 * @param txBytes bytes in them, as the device counts them
 * @param txErrors frames that could not be sent
 * @param details the device's own counters, by their names in its data sheet, in its order
 */
public record NicStatistics(
        long rxFrames,
        long rxBytes,
        long rxMissed,
        long rxErrors,
        long txFrames,
        long txBytes,
        long txErrors,
        SequencedMap<String, Long> details) {

    public NicStatistics {
        details = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(details));
    }
}
