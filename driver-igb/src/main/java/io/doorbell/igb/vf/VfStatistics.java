package io.doorbell.igb.vf;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.NicStatistics;
import io.doorbell.igb.spec.Reg.ReadOnly;
import io.doorbell.igb.spec.RegisterFile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The counters of a virtual function, added up in 64 bits. They have 32 bits each, reading does not clear them, and beyond
 * their end they start from 0: at 1 Gb/s those of bytes must be read once in 34 s, which the watch over the port does. A
 * reset, also one of the port, sets them to 0: what a port's reset takes was counted since the last look, a second before at
 * most.
 */
final class VfStatistics {

    private static final long MASK = 0xffff_ffffL;

    private final RegisterFile registers;
    private final List<ReadOnly> counters = VfRegisters.counters();
    private final long[] last = new long[counters.size()];
    private final SequencedMap<String, Long> totals = new LinkedHashMap<>();

    VfStatistics(RegisterFile registers) {
        this.registers = registers;
        counters.forEach(counter -> totals.put(counter.name(), 0L));
    }

    /** Counts from here on: whatever the counters have now was before, or is what a reset left. */
    void rebase() {
        for (int i = 0; i < last.length; i++) {
            last[i] = read(i);
        }
    }

    /**
     * Adds what has been counted since the last time.
     *
     * @throws BrokenDeviceException when the device is gone; nothing was added then
     */
    void update() {
        long[] now = new long[last.length];
        for (int i = 0; i < now.length; i++) {
            now[i] = read(i);
        }
        // The counters of a device that is gone read as all ones. It is there still, so it was when they were read.
        registers.status();
        for (int i = 0; i < now.length; i++) {
            totals.merge(counters.get(i).name(), (now[i] - last[i]) & MASK, Long::sum);
            last[i] = now[i];
        }
    }

    private long read(int counter) {
        return Integer.toUnsignedLong(registers.read(counters.get(counter)));
    }

    NicStatistics statistics(long droppedByDriver, long lostInStops) {
        return new NicStatistics(
                total(VfRegisters.VFGPRC),
                total(VfRegisters.VFGORC),
                0,
                droppedByDriver,
                total(VfRegisters.VFGPTC),
                total(VfRegisters.VFGOTC),
                lostInStops,
                totals);
    }

    private long total(ReadOnly counter) {
        return totals.getOrDefault(counter.name(), 0L);
    }
}
