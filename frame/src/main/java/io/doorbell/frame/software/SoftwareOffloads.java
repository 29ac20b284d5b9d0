package io.doorbell.frame.software;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.TxQueue;
import java.util.EnumSet;
import org.jspecify.annotations.Nullable;

/**
 * A transmit queue that does in software what its NIC does not ({@link TxQueue#limits}): it completes checksums, segments TCP
 * and UDP, inserts VLAN tags, and copies what is in too many slots into fewer. So a frame that any NIC received can be sent
 * by any other; and one that asks for nothing unusual costs one more look. A NIC that takes less since it was reset is given
 * what waited here as it takes it now.
 *
 * <p>What it has taken may wait here for room in the ring, or for buffers: {@link #send} goes on with that first, also when
 * the batch is empty. A frame that no work makes fit is dropped, and counted: it is too long for the NIC, or its headers
 * are not what it says they are, or it asks for the time of a clock that the NIC has not.
 *
 * <p>Belongs to one thread at a time, as the queue does, which is used through it alone. {@link #close} before the NIC's.
 */
public final class SoftwareOffloads implements TxQueue, AutoCloseable {

    /** Slots that wait for the ring, at most. */
    private static final int READY = 128;

    /** Slots of a frame that is worked on, at most: 64 KiB in the smallest buffers. */
    private static final int WHOLE = 512;

    private static final int TAG = 4;
    private static final int ETHER_TYPE = 12;
    private static final int TAG_CONTROL = 14;
    private static final short VLAN = (short) 0x8100;

    private final TxQueue queue;
    private final Segmenter segmenter;
    private final FrameBatch ready = new FrameBatch(READY);
    /** The frame that is being segmented, or copied. */
    private final FrameBatch whole = new FrameBatch(WHOLE);

    /** What the frames that wait here were made for. */
    private SendLimits madeFor;

    /** Makes what waits here fit once more, since the NIC's limits have changed; until nothing waits any more. */
    private @Nullable SoftwareOffloads behind;

    private final FramePool pool;
    private long dropped;

    /**
     * @param queue the NIC's
     * @param pool where buffers for segments come from: the NIC's ({@link io.doorbell.frame.Nic#pool}), or another that it
     *     sends from
     */
    public SoftwareOffloads(TxQueue queue, FramePool pool) {
        this.queue = queue;
        this.pool = pool;
        this.madeFor = queue.limits();
        this.segmenter = new Segmenter(whole, pool);
    }

    /**
     * Sends the frames at the front of the batch, in order, as many as there is room for, or takes them and sends them with
     * the next call. Never waits.
     *
     * @return how many slots of the batch were emptied: 0 when the ring is full, or the pool has run out of buffers
     * @throws DoorbellException as the NIC's queue does, where no work of this class would help: a pool that the NIC does
     *     not know. What waited here and is in the way is dropped then, and the rest can be sent
     */
    @Override
    public int send(FrameBatch batch) {
        final SendLimits limits = queue.limits();
        if (isIdle() && allowsAll(limits, batch)) {
            return queue.send(batch);
        }
        adaptTo(limits);
        final int before = batch.size();
        boolean more;
        do {
            more = prepare(batch, limits);
            sendReady(limits);
        } while (more && ready.isEmpty());
        return before - batch.size();
    }

    /** Whether nothing waits here. */
    private boolean isIdle() {
        return ready.isEmpty() && whole.isEmpty() && (behind == null || behind.isIdle());
    }

    private void adaptTo(SendLimits limits) {
        if (isIdle()) {
            forget();
        } else if (behind == null && !limits.equals(madeFor)) {
            behind = new SoftwareOffloads(queue, pool);
        }
        madeFor = limits;
    }

    /** Nothing waits in the one behind; its count is kept. */
    private void forget() {
        if (behind != null) {
            dropped += behind.dropped();
            behind = null;
        }
    }

    private void sendReady(SendLimits limits) {
        if (behind != null) {
            behind.send(ready);
            return;
        }
        try {
            queue.send(ready);
        } catch (BrokenDeviceException e) {
            throw e; // the frames can be sent once the NIC is reset
        } catch (DoorbellException e) {
            if (!limits.equals(queue.limits())) {
                return; // they changed meanwhile: the next call adapts the frames
            }
            // One of them would be in the way for ever. If its pool is to blame, there is no telling which one it is.
            boolean all = allowsAll(limits, ready);
            for (int i = 0; i < ready.size(); ) {
                if (all || !limits.allow(ready, i)) {
                    ready.release(i);
                    dropped++;
                } else {
                    i += ready.slots(i);
                }
            }
            throw e;
        }
    }

    private static boolean allowsAll(SendLimits limits, FrameBatch batch) {
        final int size = batch.size();
        for (int i = 0; i < size; i += batch.slots(i)) {
            if (!limits.allow(batch, i)) {
                return false;
            }
        }
        return true;
    }

    /** Fills up what is ready; returns whether there is more to be done when that has been sent. */
    private boolean prepare(FrameBatch batch, SendLimits limits) {
        while (true) {
            while (!whole.isEmpty()) {
                if (!segmenter.makeNext(ready)) {
                    return !ready.isEmpty();
                }
                if (segmenter.isDone()) {
                    whole.release();
                }
            }
            if (batch.isEmpty()) {
                return false;
            }
            if (!limits.allow(batch, 0)) {
                change(batch, limits);
            } else if (batch.slots(0) <= ready.remaining()) {
                batch.moveTo(ready, 0);
            } else {
                return !ready.isEmpty();
            }
        }
    }

    /** Does one thing about the first frame, which the NIC does not take as it is. */
    private void change(FrameBatch batch, SendLimits limits) {
        Frame first = batch.frame(0);
        int unable = first.offloads() & ~limits.offloads();
        if (isCutOff(batch) || isChecksumOutside(first)) {
            drop(batch);
        } else if ((unable & Offloads.VLAN_TAG) != 0) {
            insertTag(batch, first);
        } else if ((first.offloads() & Offloads.SEGMENT) != 0) {
            if (takeWhole(batch) && !segmenter.start(limits)) {
                drop(whole);
            }
        } else if ((unable & Offloads.NEEDS_CHECKSUM) != 0) {
            completeChecksum(batch, first);
        } else if ((unable & Offloads.NEEDS_CRC32C) != 0) {
            SctpChecksum.complete(batch, 0, first.checksumStart(), first.checksumOffset());
            first.clearOffloads(Offloads.NEEDS_CRC32C);
        } else if (takeWhole(batch) && !(whole.frame(0).continues() && segmenter.startCopy(limits))) {
            drop(whole);
        }
    }

    /** Whether the first frame goes on where the batch ends, so that nobody has the rest. */
    private static boolean isCutOff(FrameBatch batch) {
        return batch.frame(batch.slots(0) - 1).continues();
    }

    /** It was within the frame when the frame was told, but that may have been made shorter since. */
    private static boolean isChecksumOutside(Frame first) {
        int bytes = (first.offloads() & Offloads.NEEDS_CRC32C) != 0 ? Integer.BYTES : Short.BYTES;
        return (first.offloads() & (Offloads.NEEDS_CHECKSUM | Offloads.NEEDS_CRC32C)) != 0
                && (first.checksumStart() < 0
                        || first.checksumStart() + first.checksumOffset() > first.length() - bytes);
    }

    private boolean takeWhole(FrameBatch batch) {
        if (batch.slots(0) > WHOLE) {
            drop(batch);
            return false;
        }
        batch.moveTo(whole, 0);
        return true;
    }

    private void drop(FrameBatch batch) {
        batch.release(0);
        dropped++;
    }

    private static void completeChecksum(FrameBatch batch, Frame first) {
        InternetChecksum.complete(batch, 0, first.checksumStart(), first.checksumOffset());
        first.clearOffloads(Offloads.NEEDS_CHECKSUM);
    }

    /** Behind the addresses (IEEE 802.1Q, 9.5). */
    private void insertTag(FrameBatch batch, Frame first) {
        int missing = TAG - first.headroom();
        if (first.length() < ETHER_TYPE || missing > first.pool().bufferSize() - first.headroom() - first.length()) {
            drop(batch);
            return;
        }
        if (missing > 0) {
            first.addHeadroom(missing);
        }
        first.moveStart(-TAG);
        first.setLong(0, first.getLong(TAG));
        first.setInt(Long.BYTES, first.getInt(Long.BYTES + TAG));
        first.setShort(ETHER_TYPE, VLAN);
        first.setShort(TAG_CONTROL, (short) first.vlanTag());
        first.clearOffloads(Offloads.VLAN_TAG);
    }

    /** What can be asked for, whoever does it; a frame that is not segmented may be as long as the NIC sends it. */
    @Override
    public SendLimits limits() {
        SendLimits nic = queue.limits();
        return new SendLimits(
                Offloads.NEEDS_CHECKSUM
                        | Offloads.NEEDS_CRC32C
                        | Offloads.SEGMENT
                        | Offloads.VLAN_TAG
                        | Offloads.MORE_SEGMENTS
                        | (nic.offloads() & Offloads.TIME_STAMP),
                EnumSet.allOf(Segmentation.class),
                true,
                nic.shortest(),
                nic.longest(),
                Segmenter.LONGEST,
                WHOLE);
    }

    /** As the NIC's; a frame that waits here is on its way, too. */
    @Override
    public int reclaim() {
        int further = behind == null ? queue.reclaim() : behind.reclaim();
        return further + ready.size() + (whole.isEmpty() ? 0 : 1);
    }

    /** Frames that could not be sent, however much was done about them. */
    public long dropped() {
        return dropped + (behind == null ? 0 : behind.dropped());
    }

    /** Gives back what waits here; it is not sent. */
    @Override
    public void close() {
        if (behind != null) {
            behind.close();
        }
        ready.release();
        whole.release();
    }
}
