package io.doorbell.igb.warmup;

import io.doorbell.frame.warmup.SimulatedQueue;
import io.doorbell.pci.Bar;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/** A device's side of a descriptor ring, whose head is where it is at. */
final class SimulatedIgbRing implements SimulatedQueue {

    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();
    private static final int DESCRIPTOR = 16;
    /** Of a received frame, with its length above: DD and EOP. */
    private static final long WHOLE_FRAME = 3L;

    /** In a transmit descriptor: whether the device is to say when it is done, and that it is. */
    private static final long RS = 1L << 27;

    private static final long DD = 1L << 32;

    private final MemorySegment ring;
    private final int size;
    private final Bar bar;
    private final int tailRegister;
    private final boolean receives;
    private int head;

    /** @param tailRegister where the driver says up to which descriptor the ring is the device's */
    public SimulatedIgbRing(MemorySegment ring, int size, Bar bar, int tailRegister, boolean receives) {
        this.ring = ring;
        this.size = size;
        this.bar = bar;
        this.tailRegister = tailRegister;
        this.receives = receives;
    }

    @Override
    public int available(int most) {
        int ahead = bar.read32(tailRegister) - head;
        return Math.min(most, ahead < 0 ? ahead + size : ahead);
    }

    @Override
    public long address(int ahead) {
        int index = head + ahead < size ? head + ahead : head + ahead - size;
        return (long) WORD.getOpaque(ring, (long) index * DESCRIPTOR);
    }

    @Override
    public void use(int count, int length) {
        head = receives ? receive(head, count, length) : send(head, count);
    }

    private int receive(int from, int count, int length) {
        final MemorySegment ring = this.ring;
        int index = from;
        for (int i = 0; i < count; i++) {
            long descriptor = (long) index * DESCRIPTOR;
            WORD.setOpaque(ring, descriptor, 0L);
            WORD.setRelease(ring, descriptor + 8, WHOLE_FRAME | (long) length << 32);
            index = index + 1 == size ? 0 : index + 1;
        }
        return index;
    }

    private int send(int from, int count) {
        final MemorySegment ring = this.ring;
        int index = from;
        for (int i = 0; i < count; i++) {
            long descriptor = (long) index * DESCRIPTOR;
            long command = (long) WORD.getOpaque(ring, descriptor + 8);
            if ((command & RS) != 0) {
                WORD.setRelease(ring, descriptor + 8, DD);
            }
            index = index + 1 == size ? 0 : index + 1;
        }
        return index;
    }
}
