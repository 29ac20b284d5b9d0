package io.doorbell.igb.nic;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.ability.CounterValue;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.Reg.ReadClears;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The device's counters, added up in 64 bits. They have 32 bits each (byte counters 64, in two halves) and start from 0
 * whenever they are read: at 1 Gb/s of shortest frames they must be read once in 48 minutes, lest they stick at their
 * end. {@link #PERIOD} is how often that is done where nobody asks.
 */
final class IgbStatistics {

    /** A quarter of the time in which a counter may come to its end. */
    static final Duration PERIOD = Duration.ofMinutes(12);

    /** Byte counters: reading the high half is what clears the pair, so the low half is read first (8.18). */
    private static final Map<String, String> HIGH_HALF = Map.of(
            "GORCL", "GORCH", "GOTCL", "GOTCH", "TORL", "TORH", "TOTL", "TOTH", "HGORCL", "HGORCH", "HGOTCL", "HGOTCH");

    /**
     * Each frame in one of them. RLEC counts those of RUC, RFC, ROC and RJC once more; those of RJC, which are too long and
     * have a wrong CRC, are in CRCERRS (8.18).
     */
    static final List<String> DAMAGED = List.of("CRCERRS", "ALGNERRC", "RXERRC", "RUC", "RFC", "ROC");

    private static final String DROPPED = ".dropped";

    private final RegisterFile registers;
    private final IgbModel model;
    private final int queues;
    private final SequencedMap<String, Long> totals = new LinkedHashMap<>();

    public IgbStatistics(RegisterFile registers, IgbModel model, int queues) {
        this.registers = registers;
        this.model = model;
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

    public NicStatistics statistics(List<CounterValue> ofDriver, long lostInStops) {
        SequencedMap<String, Long> details = new LinkedHashMap<>(totals);
        long damaged = 0;
        for (CounterValue counter : ofDriver) {
            details.put(counter.name(), counter.value());
            damaged += counter.name().endsWith(DROPPED) ? counter.value() : 0;
        }
        for (String counter : DAMAGED) {
            damaged += total(counter);
        }
        return new NicStatistics(
                total("GPRC"),
                total("GORC"),
                total("MPC") + noDescriptor(),
                damaged,
                total("GPTC"),
                total("GOTC"),
                total("ECOL") + total("LATECOL") + lostInStops,
                details);
    }

    long total(String counter) {
        return totals.getOrDefault(counter, 0L);
    }

    private long noDescriptor() {
        long sum = 0;
        for (int queue = 0; queue < queues; queue++) {
            sum += total(IgbRegisters.RQDPC.name(queue));
        }
        return sum;
    }

    /** All of the device's, with what they mean. */
    void count(CounterSink sink) {
        for (ReadClears counter : IgbRegisters.counters()) {
            if (!HIGH_HALF.containsValue(counter.name())) {
                for (int queue = 0; queue < Math.min(counter.count(), queues); queue++) {
                    String name = counter.count() == 1 ? nameOf(counter) : counter.name(queue);
                    sink.add(name, total(name), counter.meaning());
                }
            }
        }
    }

    /** GORCL and GORCH together are GORC. */
    private static String nameOf(ReadClears counter) {
        String name = counter.name();
        return HIGH_HALF.containsKey(name) ? name.substring(0, name.length() - 1) : name;
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
                sink.add(nameOf(counter), (high << 32) | low);
            } else {
                for (int queue = 0; queue < Math.min(counter.count(), queues); queue++) {
                    sink.add(counter.name(queue), registers.take(counter, queue));
                    if (counter.equals(IgbRegisters.RQDPC) && model.keepsDropsWhenRead()) {
                        registers.zero(counter, queue);
                    }
                }
            }
        }
    }
}
