package io.doorbell.igb.ring;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.PollGate;
import io.doorbell.frame.spi.PoolRegistrations;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.frame.spi.QueueState;
import io.doorbell.frame.spi.StallWatch;
import io.doorbell.pci.Bar;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.EnumSet;

/**
 * A ring of advanced transmit data descriptors, one frame each (82576 data sheet, 7.2.2); of frames that take several slots of a
 * batch, or more than a descriptor points to, several, and of those that ask for something a context descriptor before them
 * ({@link TxContext}) where the latest one says another thing.
 *
 * <p>A descriptor is 16 bytes. The driver writes it as
 *
 * <pre>
 *   0  address of the frame
 *   8  DTALEN (16) | DTYP 20 | EOP 24, IFCS 25, RS 27, DEXT 29 | DD 32 (0) | PAYLEN 46 (18)
 * </pre>
 *
 * and the device sets DD when it has read the frame, if the driver had set RS. RS is set on the last descriptor of a
 * batch only: the device works in order, so its DD stands for all of them, and the device writes back once a batch.
 *
 * <p>Going round the ring, the descriptors from {@code clean} to {@code tail} are the device's, or done and not looked
 * at yet. The others are free, and one of them always stays so: a tail that met the head would say that the ring is
 * empty.
 *
 * <p>A thread polls it through its gate; the thread that starts and stops it shuts the gate before.
 */
public final class IgbTxRing implements TxQueue {

    /** An Ethernet header. */
    private static final int SHORTEST = 14;

    /** Shorter frames are padded with zeros to this, the 64 bytes of IEEE 802.3 without the check sequence. */
    private static final int PADDED = 60;

    private static final int CHECKSUMS = Offloads.NEEDS_CHECKSUM | Offloads.NEEDS_CRC32C;

    /** What takes a frame out of the short loop: it takes a context, or several descriptors. */
    private static final int UNUSUAL = Offloads.NEEDS_CHECKSUM
            | Offloads.SEGMENT
            | Offloads.VLAN_TAG
            | Offloads.MORE_SEGMENTS
            | Offloads.TIME_STAMP
            | Offloads.NEEDS_CRC32C;

    /** Descriptors that the device takes for one frame (7.2.1). */
    private static final int MOST_DESCRIPTORS = 40;

    /** Bytes in the longest frame that is segmented: the largest IPv6 packet, with its header and Ethernet's. */
    private static final int LONGEST_SEGMENTED = 14 + 40 + 65535;

    /** Bytes that one descriptor is to point to, at most. */
    private static final int LARGEST_PIECE = 1 << 14;

    // Among the slots: a descriptor that has no buffer to give back, and what is added where a buffer does not end its
    // frame.
    private static final int NO_BUFFER = -1;
    private static final int GOES_ON = 1 << 16;

    private static final int DESCRIPTOR = 16;
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;
    private static final VarHandle STATUS = WORD.varHandle();

    private static final long DTYP_DATA = 3L << 20;
    private static final long EOP = 1L << 24;
    private static final long IFCS = 1L << 25;
    private static final long RS = 1L << 27;
    private static final long DEXT = 1L << 29;
    private static final long DATA = DTYP_DATA | IFCS | DEXT;
    private static final long WHOLE_FRAME = DATA | EOP;
    private static final long DD = 1L << 32;
    private static final int PAYLEN_SHIFT = 46;

    private final String name;
    private final PollGate gate;
    private final QueueState state;
    private final Bar bar;
    private final int tailRegister;
    private final DmaRegion memory;
    private final MemorySegment ring;
    private final int size;
    private final PoolRegistrations pools;

    private final SendLimits limits;
    /** What is longer is refused in the words of its length. */
    private final int longest;

    /** Of each descriptor that is not free: its buffer, and the slot of the buffer's pool. */
    private final int[] buffers;

    private final int[] slots;

    /** Of the first descriptor of each batch: the last one. */
    private final int[] last;

    /** Sent frames are looked for when fewer descriptors are free. */
    private final int lowWater;

    private final StallWatch stall;
    private final QueueCounters counters = new QueueCounters();

    private int clean;
    private int tail;
    private int free;
    /** Descriptors under way that do not end a frame. */
    private int parts;

    /** What the device was told last; 0 for nothing. */
    private long contextFirst;

    private long contextSecond;
    private final TxContext context = new TxContext();
    /** Descriptors of a batch that was not shown to the device yet, and how many of them do not end a frame. */
    private int written;

    private int writtenParts;
    private int writtenFrames;
    private long writtenBytes;

    /** The pool of the latest frame; the next one is most likely from the same. */
    private FramePool pool;

    private int slot;
    private long poolAddress;

    /** @param limits those of {@link #limits(RxFormat, boolean)} */
    public IgbTxRing(
            String name,
            Bar bar,
            int tailRegister,
            DmaRegion memory,
            int size,
            PoolRegistrations pools,
            SendLimits limits) {
        this.limits = limits;
        this.longest = limits.longest();
        this.name = name;
        this.gate = new PollGate(name);
        this.state = new QueueState(name, IgbRxRing.WHEN_STOPPED);
        this.bar = bar;
        this.tailRegister = tailRegister;
        this.memory = memory;
        this.ring = memory.segment();
        this.size = size;
        this.pools = pools;
        this.buffers = new int[size];
        this.slots = new int[size];
        this.last = new int[size];
        this.lowWater = size / 2;
        this.stall = StallWatch.full(name);
        this.pool = pools.pool(0);
        this.poolAddress = pools.deviceAddress(0);
    }

    /** Bytes of memory that a ring needs. */
    public static long bytes(int size) {
        return (long) size * DESCRIPTOR;
    }

    public long deviceAddress() {
        return memory.deviceAddress();
    }

    public QueueCounters counters() {
        return counters;
    }

    /** Where the threads that poll pass through. */
    public PollGate gate() {
        return gate;
    }

    @Override
    public int send(FrameBatch batch) {
        if (!gate.enter()) {
            return gate.turnedAway();
        }
        try {
            return post(batch);
        } finally {
            gate.leave();
        }
    }

    private int post(FrameBatch batch) {
        if (!state.isRunning()) {
            throw state.notRunning();
        }
        if (free < Math.max(lowWater, batch.size())) {
            collect();
        }
        final int count = Math.min(batch.size(), free);
        if (count == 0) {
            return nothing(batch);
        }
        final int beforeTheEnd = Math.min(count, size - tail);
        writtenBytes = 0;
        int sent = write(batch, 0, beforeTheEnd, tail);
        if (sent == beforeTheEnd) {
            sent = write(batch, beforeTheEnd, count, 0);
        }
        written = sent;
        writtenParts = 0;
        int frames = sent;
        if (sent < count) {
            try {
                sent = writeOthers(batch, sent);
                frames += writtenFrames;
            } catch (RuntimeException e) {
                contextSecond = 0; // one that was written is not shown
                throw e;
            }
            if (sent == 0) {
                return nothing(batch);
            }
        }
        final int end = wrapped(tail + written - 1);
        ring.set(WORD, (long) end * DESCRIPTOR + 8, ring.get(WORD, (long) end * DESCRIPTOR + 8) | RS);
        last[tail] = end;
        batch.detach(sent);
        tail = wrapped(end + 1);
        free -= written;
        parts += writtenParts;
        counters.frames += frames;
        counters.bytes += writtenBytes;
        counters.kicks++;
        // The doorbell is a release: the device finds descriptors and frames whole when it sees the new tail (7.2.2).
        bar.write32(tailRegister, tail);
        return sent;
    }

    private int nothing(FrameBatch batch) {
        if (!batch.isEmpty()) {
            stall.stuck(last, tail); // where the next batch would start
        }
        return 0;
    }

    /**
     * Writes the descriptors from {@code index} on for frames {@code from} to before {@code to}, up to one that has
     * anything unusual about it. They do not go round the end of the ring. The device does not look at them before the
     * tail has moved, so they are written plainly.
     *
     * @return the frame up to which there are descriptors
     */
    private int write(FrameBatch batch, int from, int to, int index) {
        final MemorySegment ring = this.ring;
        final int[] buffers = this.buffers;
        final int[] slots = this.slots;
        final int longest = this.longest;
        final int shift = index - from;
        long bytes = 0;
        for (int i = from; i < to; i++) {
            Frame frame = batch.frame(i);
            int length = frame.length();
            if ((frame.offloads() & UNUSUAL) != 0) {
                writtenBytes += bytes;
                return i;
            }
            bytes += length;
            if (length < PADDED || length > longest) {
                length = padded(frame, length);
            }
            if (frame.pool() != pool) {
                remember(frame.pool());
            }
            buffers[i + shift] = frame.buffer();
            slots[i + shift] = slot;
            long descriptor = (long) (i + shift) * DESCRIPTOR;
            ring.set(WORD, descriptor, poolAddress + frame.position());
            ring.set(WORD, descriptor + 8, WHOLE_FRAME | length | (long) length << PAYLEN_SHIFT);
        }
        writtenBytes += bytes;
        return to;
    }

    // ---- Frames that ask for something, or take several slots, and those behind them

    /**
     * Writes descriptors for the frames from slot {@code from} on, as many as there is room for.
     *
     * @return the slot up to which there are descriptors
     */
    private int writeOthers(FrameBatch batch, int from) {
        check(batch, from); // all of them, since nothing is taken of a batch that has one which cannot be sent
        int slot = from;
        writtenFrames = 0;
        while (slot < batch.size()) {
            Frame frame = batch.frame(slot);
            int slots = batch.slots(slot);
            context.describe(frame, batch.length(slot));
            boolean news = context.isNeeded()
                    && (context.first != contextFirst || context.second != contextSecond || contextSecond == 0);
            if (written + descriptors(batch, slot, slots) + (news ? 1 : 0) > free) {
                break;
            }
            context.prepare(batch, slot);
            if (news) {
                contextFirst = context.first;
                contextSecond = context.second;
                put(NO_BUFFER, 0, contextFirst, contextSecond);
            }
            for (int i = slot; i < slot + slots; i++) {
                writeSlot(batch.frame(i), i == slot + slots - 1);
            }
            writtenBytes += batch.length(slot);
            writtenFrames++;
            slot += slots;
        }
        return slot;
    }

    /** Before anything about the frames changes: that all can be sent. */
    private void check(FrameBatch batch, int from) {
        for (int i = from; i < batch.size(); i += batch.slots(i)) {
            Frame frame = batch.frame(i);
            int length = batch.length(i);
            int end = i + batch.slots(i);
            if (end == i + 1 && length < PADDED && (frame.offloads() & CHECKSUMS) == 0) {
                padded(frame, length);
            }
            boolean segments = (frame.offloads() & Offloads.SEGMENT) != 0;
            if (!limits.allow(batch, i)
                    || !context.describe(frame, length)
                    || (segments && frame.segmentHeader() + frame.segmentSize() > longest)) {
                throw refused(batch, i, length);
            }
            for (int slot = i; slot < end; slot++) {
                if (batch.frame(slot).pool() != pool) {
                    remember(batch.frame(slot).pool());
                }
            }
        }
    }

    private DoorbellException refused(FrameBatch batch, int index, int length) {
        Frame frame = batch.frame(index);
        int unable = frame.offloads() & UNUSUAL & ~limits.offloads();
        if (unable != 0) {
            return new DoorbellException(name + ": cannot do for a frame what is asked: " + Offloads.toString(unable)
                    + (unable == Offloads.VLAN_TAG
                            ? ", since it was not opened with that among NicConfig.withReceiveOffloads"
                            : "")
                    + "; do it in software and call Frame.clearOffloads, or send by SoftwareOffloads");
        }
        String how = (frame.offloads() & Offloads.SEGMENT) == 0
                ? ""
                : " by " + frame.segmentation() + ", " + frame.segmentSize() + " bytes behind a header of "
                        + frame.segmentHeader();
        return new DoorbellException(
                name + ": cannot send a frame of " + length + " bytes in " + batch.slots(index)
                        + " slots that asks for " + Offloads.toString(frame.offloads() & UNUSUAL) + how + ": it takes "
                        + SHORTEST
                        + " to " + longest + " bytes, or up to " + LONGEST_SEGMENTED + " to be segmented by "
                        + limits.segmentations() + " into frames as long as the others, in up to " + MOST_DESCRIPTORS
                        + " slots, with headers that are what the frame says of them; SoftwareOffloads sends what is beyond that");
    }

    private static int descriptors(FrameBatch batch, int index, int slots) {
        int descriptors = 0;
        for (int i = index; i < index + slots; i++) {
            descriptors += Math.ceilDiv(batch.frame(i).length(), LARGEST_PIECE);
        }
        return descriptors;
    }

    /** Writes as many descriptors as the bytes of a slot take. */
    private void writeSlot(Frame frame, boolean isLast) {
        final FramePool itsPool = frame.pool();
        if (itsPool != pool) {
            remember(itsPool);
        }
        final long command = DATA | context.command | (long) context.payload << PAYLEN_SHIFT;
        final long address = poolAddress + frame.position();
        final int length = frame.length();
        int done = 0;
        for (; length - done > LARGEST_PIECE; done += LARGEST_PIECE) {
            put(NO_BUFFER, 0, address + done, command | LARGEST_PIECE);
        }
        put(
                isLast ? slot : slot | GOES_ON,
                frame.buffer(),
                address + done,
                command | (isLast ? EOP : 0) | (length - done));
    }

    /** Writes one descriptor behind those that were written. */
    private void put(int slot, int buffer, long first, long second) {
        final int index = wrapped(tail + written);
        slots[index] = slot;
        buffers[index] = buffer;
        ring.set(WORD, (long) index * DESCRIPTOR, first);
        ring.set(WORD, (long) index * DESCRIPTOR + 8, second);
        written++;
        writtenParts += isPart(slot) ? 1 : 0;
    }

    /** Whether a descriptor does not end a frame. */
    private static boolean isPart(int slot) {
        return slot < 0 || (slot & GOES_ON) != 0;
    }

    /**
     * What a NIC sends. The device inserts VLAN tags where it strips them, by one bit for both (CTRL.VME); it does not tell
     * the first segment by the TCP flag CWR as QEMU plays it.
     */
    public static SendLimits limits(RxFormat format, boolean stamps) {
        return new SendLimits(
                Offloads.NEEDS_CHECKSUM
                        | Offloads.NEEDS_CRC32C
                        | Offloads.SEGMENT
                        | Offloads.MORE_SEGMENTS
                        | (stamps ? Offloads.TIME_STAMP : 0)
                        | (format.tags() ? Offloads.VLAN_TAG : 0),
                EnumSet.of(Segmentation.TCP4, Segmentation.TCP6),
                false,
                SHORTEST,
                format.longest(),
                LONGEST_SEGMENTED,
                MOST_DESCRIPTORS);
    }

    @Override
    public SendLimits limits() {
        return limits;
    }

    @Override
    public int reclaim() {
        if (!gate.enter()) {
            return gate.turnedAway();
        }
        try {
            return collect();
        } finally {
            gate.leave();
        }
    }

    /** As {@link #reclaim}, for whoever is inside the gate or has shut it. */
    public int collect() {
        while (free < size - 1) {
            int end = last[clean];
            // Acquire: the buffers may be written again only after DD was seen (7.2.2).
            if (((long) STATUS.getAcquire(ring, (long) end * DESCRIPTOR + 8) & DD) == 0) {
                break;
            }
            giveBackUpTo(wrapped(end + 1));
        }
        return size - 1 - free - parts;
    }

    /** Frees the descriptors from {@code clean} to before {@code end}, whose buffers go back in runs of one pool. */
    private void giveBackUpTo(int end) {
        do {
            int from = clean;
            int to = from + 1;
            int stop = end > from ? end : size;
            while (to < stop && slots[to] == slots[from]) {
                to++;
            }
            int code = slots[from];
            if (code != NO_BUFFER) {
                pools.pool(code & ~GOES_ON).free(buffers, from, to - from);
            }
            free += to - from;
            parts -= isPart(code) ? to - from : 0;
            clean = wrapped(to);
        } while (clean != end);
    }

    /**
     * Makes a short frame as long as it must be, which QEMU's device leaves to others. Not one whose checksum the device
     * completes: QEMU's takes the padding for payload, and the sum over the pseudo header is wrong then. Silicon pads such a frame
     * (TCTL.PSP). Throws for one that is too short or too long to be a frame. */
    private int padded(Frame frame, int length) {
        if (length < SHORTEST || length > longest) {
            throw new DoorbellException(name + ": cannot send a frame of " + length + " bytes: it takes " + SHORTEST
                    + " (an Ethernet header) to " + longest
                    + "; for more, open it with larger buffers (NicConfig.withBufferSize)");
        }
        frame.length(PADDED);
        frame.memory().asSlice(frame.position() + length, PADDED - length).fill((byte) 0);
        return PADDED;
    }

    private void remember(FramePool pool) {
        slot = pools.slot(pool);
        poolAddress = pools.deviceAddress(slot);
        this.pool = pool;
    }

    /** Opens the ring, whose registers have been set up for head and tail 0. */
    public void start() {
        clean = 0;
        tail = 0;
        free = size - 1;
        parts = 0;
        contextSecond = 0;
        state.start();
    }

    /**
     * As {@link #halt}, since the device does not let go of the ring.
     *
     * @param what the device did not do
     */
    public void fail(String what) {
        state.broken(what);
    }

    /** Lets no poll send anything any more; the buffers stay, since the device may still read them. */
    public void halt() {
        state.stop();
    }

    /** Gives back the buffers of all frames of a ring that was halted. The device must have let go of it. */
    public void empty() {
        if (free < size - 1) {
            giveBackUpTo(tail);
        }
    }

    private int wrapped(int index) {
        return index < size ? index : index - size;
    }
}
