package io.doorbell.igb.ring;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.Field;
import io.doorbell.igb.spec.Reg;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.igb.spec.RingRegisters;
import java.time.Duration;

/** Tells a function of its rings, and has it let go of them (82576 data sheet, 4.5.9 and 4.5.10). */
public final class RingSetup {

    private static final Duration LIMIT = Duration.ofMillis(500);
    private static final int ADVANCED_ONE_BUFFER = 1;
    private static final int BYTES_PER_BSIZEPACKET = 1024;

    private final String name;
    private final RegisterFile registers;
    private final RingRegisters at;

    /** @param at where the function has its rings' registers */
    public RingSetup(RegisterFile registers, RingRegisters at) {
        this.name = registers.nic();
        this.registers = registers;
        this.at = at;
    }

    /** Receive initialization (4.5.9) of one queue, behind that of the filters. */
    public void receive(int queue, long ring, int descriptors, int bytesPerBuffer) {
        quiet(at.rxdctl(), queue, RXDCTL_ENABLE);
        registers.write(at.rdbal(), queue, (int) ring);
        registers.write(at.rdbah(), queue, (int) (ring >>> 32));
        registers.write(at.rdlen(), queue, (int) IgbRxRing.bytes(descriptors));
        registers.write(
                at.srrctl(),
                queue,
                SRRCTL_DESCTYPE.of(ADVANCED_ONE_BUFFER)
                        | SRRCTL_BSIZEPACKET.of(bytesPerBuffer / BYTES_PER_BSIZEPACKET));
        registers.write(at.rdh(), queue, 0);
        // Descriptors are fetched 8 at a time and written back at once: a polling driver looks for each of them.
        registers.write(
                at.rxdctl(),
                queue,
                RXDCTL_PTHRESH.of(8) | RXDCTL_HTHRESH.of(8) | RXDCTL_WTHRESH.of(1) | RXDCTL_ENABLE.mask());
        awaitEnabled(at.rxdctl(), queue, RXDCTL_ENABLE);
    }

    /** Transmit initialization (4.5.10) of one queue. */
    public void transmit(int queue, long ring, int descriptors) {
        quiet(at.txdctl(), queue, TXDCTL_ENABLE);
        registers.write(at.tdbal(), queue, (int) ring);
        registers.write(at.tdbah(), queue, (int) (ring >>> 32));
        registers.write(at.tdlen(), queue, (int) IgbTxRing.bytes(descriptors));
        registers.write(at.tdh(), queue, 0);
        registers.write(at.tdt(), queue, 0);
        registers.write(
                at.txdctl(),
                queue,
                TXDCTL_PTHRESH.of(8) | TXDCTL_HTHRESH.of(1) | TXDCTL_WTHRESH.of(1) | TXDCTL_ENABLE.mask());
        awaitEnabled(at.txdctl(), queue, TXDCTL_ENABLE);
    }

    /** A queue that is enabled must not be told of another ring. */
    private void quiet(Reg.ReadWrite control, int queue, Field enable) {
        registers.clear(control, queue, enable);
        registers.read(control, queue); // which has the write arrive before those that follow
    }

    private void awaitEnabled(Reg.ReadWrite control, int queue, Field enable) {
        BoundedWait.require(
                control.name(queue) + "." + enable.name(),
                () -> enable.isSetIn(registers.read(control, queue)),
                LIMIT,
                () -> String.format("%s has %s=0x%08x", name, control.name(queue), registers.read(control, queue)));
    }

    /** Has the device let go of one receive queue's ring, while the others go on (4.5.9). */
    public void disableReceive(int queue) {
        disable(at.rxdctl(), queue, RXDCTL_ENABLE);
    }

    /** Has the device let go of one transmit queue's ring, while the others go on (4.5.10). */
    public void disableTransmit(int queue) {
        disable(at.txdctl(), queue, TXDCTL_ENABLE);
    }

    private void disable(Reg.ReadWrite control, int queue, Field enable) {
        registers.status();
        registers.clear(control, queue, enable);
        BoundedWait.require(
                control.name(queue) + "." + enable.name() + " to clear",
                () -> !enable.isSetIn(registers.read(control, queue)),
                LIMIT,
                () -> String.format("%s has %s=0x%08x", name, control.name(queue), registers.read(control, queue)));
    }

    /**
     * Asks the device to let go of the rings of the first {@code queues} queues, and waits a while until it has. A queue may
     * take its time to finish what is under way; the reset that follows ends it for good.
     */
    public void disableAll(int queues) {
        for (int queue = 0; queue < queues; queue++) {
            registers.clear(at.rxdctl(), queue, RXDCTL_ENABLE);
            registers.clear(at.txdctl(), queue, TXDCTL_ENABLE);
        }
        BoundedWait.until(() -> areDisabled(queues), LIMIT);
    }

    private boolean areDisabled(int queues) {
        for (int queue = 0; queue < queues; queue++) {
            if (RXDCTL_ENABLE.isSetIn(registers.read(at.rxdctl(), queue))
                    || TXDCTL_ENABLE.isSetIn(registers.read(at.txdctl(), queue))) {
                return false;
            }
        }
        return true;
    }
}
