package io.doorbell.igb.nic;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.NicStatistics;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.Reg.ReadClears;
import io.doorbell.igb.spec.RegisterFile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The device's counters, added up in 64 bits. They have 32 bits each (byte counters 64, in two halves) and start from 0
 * whenever they are read: at 1 Gb/s of shortest frames they must be read once in 48 minutes, lest they stick at their
 * end.
 */
final class IgbStatistics {

    /** Byte counters: reading the high half is what clears the pair, so the low half is read first (8.18). */
    private static final Map<String, String> HIGH_HALF =
            Map.of("GORCL", "GORCH", "GOTCL", "GOTCH", "TORL", "TORH", "TOTL", "TOTH");

    /**
     * Each frame in one of them. RLEC counts those of RUC, RFC, ROC and RJC once more; those of RJC, which are too long and
     * have a wrong CRC, are in CRCERRS (8.18).
     */
    private static final List<String> DAMAGED = List.of("CRCERRS", "ALGNERRC", "RXERRC", "RUC", "RFC", "ROC");

    private final RegisterFile registers;
    private final int queues;
    private final SequencedMap<String, Long> totals = new LinkedHashMap<>();

    public IgbStatistics(RegisterFile registers, int queues) {
        this.registers = registers;
        this.queues = queues;
    }

    /** Throws away what was counted before now (4.5.8). */
    public void discard() {
        long[] ignored = new long[1];
        eachCounter((name, count) -> ignored[0] += count);
    }

    /**
     * Adds what has been counted since the last time.
     *
     * @throws BrokenDeviceException when the device is gone; nothing was added then
     */
    public void update() {
        SequencedMap<String, Long> counted = new LinkedHashMap<>();
        eachCounter((name, count) -> counted.merge(name, count, Long::sum));
        // The counters of a device that is gone read as all ones. It is there still, so it was when they were read.
        registers.status();
        counted.forEach((name, count) -> totals.merge(name, count, Long::sum));
    }

    public NicStatistics statistics(long droppedByDriver, long lostInStops) {
        long damaged = droppedByDriver;
        for (String counter : DAMAGED) {
            damaged += total(counter);
        }
        return new NicStatistics(
                total("GPRC"),
                total("GORC"),
                total("MPC") + total("RQDPC"),
                damaged,
                total("GPTC"),
                total("GOTC"),
                total("ECOL") + total("LATECOL") + lostInStops,
                totals);
    }

    private long total(String counter) {
        return totals.getOrDefault(counter, 0L);
    }

    private interface Sink {
        void add(String name, long count);
    }

    private void eachCounter(Sink sink) {
        List<ReadClears> counters = IgbRegisters.counters();
        for (int i = 0; i < counters.size(); i++) {
            ReadClears counter = counters.get(i);
            if (HIGH_HALF.containsKey(counter.name())) {
                long low = registers.take(counter, 0);
                long high = registers.take(counters.get(++i), 0);
                // GORCL and GORCH together are GORC.
                sink.add(counter.name().substring(0, counter.name().length() - 1), high << 32 | low);
            } else {
                for (int queue = 0; queue < Math.min(counter.count(), queues); queue++) {
                    sink.add(counter.name(), registers.take(counter, queue));
                }
            }
        }
    }
}
