package io.doorbell.qemu.link;

import java.lang.foreign.MemorySegment;

/**
 * One end of an exchange of {@link NumberedFrames}: what to send next, and what became of what was to come. Both ends
 * run one, whatever they send and receive with:
 *
 * <pre>{@code
 * int length;
 * while ((length = exchange.nextLength()) > 0 && thereIsRoomFor(length)) {
 *     exchange.write(segment, offset);
 *     send(segment, offset, length);
 * }
 * // and for each frame that arrives
 * exchange.accept(segment, offset, length);
 * }</pre>
 *
 * <p>No more than a window of frames is under way in each direction, so that a receiver with room for a window loses
 * none however slow it is. Frames are not repeated: what is lost stays lost and is counted. Where nothing has moved for
 * some time, {@link #remind} gets an exchange going again that lost its last frames or its acknowledgements.
 *
 * <p>For one thread. Allocates nothing once constructed.
 */
public final class NumberedExchange {

    /**
     * What became of an exchange, seen from one end.
     *
     * @param sent numbered frames written
     * @param expected numbered frames that the other end was to send
     * @param received different numbered frames that arrived whole
     * @param corrupt frames that arrived damaged
     * @param duplicates numbered frames that arrived whole once more
     * @param reordered numbered frames that arrived after one with a higher number; they count as received
     * @param foreign frames that have nothing to do with this exchange
     */
    public record Counts(
            long sent, long expected, long received, long corrupt, long duplicates, long reordered, long foreign) {

        /**
         * Expected frames of which nothing arrived, not even damaged; final once the exchange is over. A damaged frame
         * cannot prove which it was: it is taken for one that is missing, if one is.
         */
        public long lost() {
            return Math.max(0, expected - received - corrupt);
        }
    }

    private final long destination;
    private final long source;
    private final long toSend;
    private final long toReceive;
    private final int window;

    private long sent;
    /** The other end has accounted for our numbers below this one. */
    private long acknowledged;

    /** Numbers below this one have arrived or are given up. */
    private long accounted;
    /** What {@link #accounted} was when it was last told to the other end. */
    private long told;

    private boolean acknowledge;
    private boolean remind;

    /** One bit for each number that has arrived whole. */
    private final long[] arrived;

    private long received;
    private long corrupt;
    private long duplicates;
    private long reordered;
    private long foreign;

    /**
     * An exchange that has not begun.
     *
     * @param destination of the frames that this end sends: the 48 bits of a MAC address
     * @param source likewise
     * @param toSend how many numbered frames this end sends
     * @param toReceive how many the other end sends
     * @param window how many of ours may be under way, at least 1: no more than the other end has room for
     */
    public NumberedExchange(long destination, long source, long toSend, long toReceive, int window) {
        if (toSend < 0 || toReceive < 0 || window < 1) {
            throw new IllegalArgumentException(
                    "no exchange: toSend=" + toSend + " toReceive=" + toReceive + " window=" + window);
        }
        this.destination = destination;
        this.source = source;
        this.toSend = toSend;
        this.toReceive = toReceive;
        this.window = window;
        this.arrived = new long[Math.toIntExact((toReceive + Long.SIZE - 1) / Long.SIZE)];
    }

    /** Length of the frame that {@link #write} would write now; 0 when there is nothing to send at present. */
    public int nextLength() {
        if (mayNumber()) {
            return NumberedFrames.length(sent);
        }
        return remind || acknowledgementDue() ? NumberedFrames.MIN_LENGTH : 0;
    }

    /** Writes the next frame, {@link #nextLength} bytes; it must be sent. */
    public void write(MemorySegment segment, long offset) {
        int length = nextLength();
        if (length == 0) {
            throw new IllegalStateException("nothing to send now: ask nextLength() first");
        }
        int kind = NumberedFrames.NUMBERED;
        if (!mayNumber()) {
            kind = remind ? NumberedFrames.REMINDER : NumberedFrames.ACKNOWLEDGEMENT;
            remind = false;
        }
        NumberedFrames.write(segment, offset, length, destination, source, kind, sent, accounted);
        if (kind == NumberedFrames.NUMBERED) {
            sent++;
        }
        told = accounted;
        acknowledge = false;
    }

    /** Judges a frame that has arrived. */
    public void accept(MemorySegment segment, long offset, int length) {
        if (!NumberedFrames.isOurs(segment, offset, length)) {
            foreign++;
        } else if (!NumberedFrames.isIntact(segment, offset, length)) {
            corrupt++;
        } else {
            acceptIntact(
                    NumberedFrames.kind(segment, offset),
                    NumberedFrames.number(segment, offset),
                    NumberedFrames.acknowledged(segment, offset));
        }
    }

    private void acceptIntact(int kind, long number, long newlyAcknowledged) {
        boolean numbered = kind == NumberedFrames.NUMBERED;
        if (number < 0
                || number > toReceive
                || (numbered && number == toReceive)
                || newlyAcknowledged < 0
                || newlyAcknowledged > sent) {
            foreign++; // whole, but of another exchange
            return;
        }
        acknowledged = Math.max(acknowledged, newlyAcknowledged);
        if (numbered) {
            acceptNumber(number);
        } else {
            // All that were sent before this frame have arrived by now or never will.
            accounted = Math.max(accounted, number);
            acknowledge |= kind == NumberedFrames.REMINDER;
        }
    }

    private void acceptNumber(long number) {
        int word = (int) (number / Long.SIZE);
        long bit = 1L << number; // the low six bits of the number count
        if ((arrived[word] & bit) != 0) {
            duplicates++;
            return;
        }
        arrived[word] |= bit;
        received++;
        if (number < accounted) {
            reordered++;
        } else {
            accounted = number + 1;
        }
    }

    /**
     * Receives and sends over this end of a wire all that can move now, without waiting. To run a whole exchange:
     *
     * <pre>{@code
     * while (!exchange.isFinished()) {
     *     if (!exchange.advance(peer) && !peer.await(patience)) {
     *         exchange.remind();
     *     }
     * }
     * peer.flush();
     * }</pre>
     *
     * @return whether anything moved
     */
    public boolean advance(FramePeer peer) {
        boolean moved = false;
        while (peer.poll()) {
            accept(peer.inbox(), peer.offset(), peer.length());
            moved = true;
        }
        int length;
        while ((length = nextLength()) > 0) {
            long at = peer.tryReserve(length);
            if (at < 0) {
                break;
            }
            write(peer.outbox(), at);
            moved = true;
        }
        peer.tryFlush();
        return moved;
    }

    /** Has the next frame ask the other end where it stands, and say where this end does. For when nothing moves. */
    public void remind() {
        remind = true;
    }

    /**
     * Whether both directions are over: all of ours are acknowledged, all of theirs are accounted for, and they have
     * been told so.
     */
    public boolean isFinished() {
        return acknowledged == toSend && accounted == toReceive && told == toReceive && !acknowledge;
    }

    /** How things stand; allocates. */
    public Counts counts() {
        return new Counts(sent, toReceive, received, corrupt, duplicates, reordered, foreign);
    }

    private boolean mayNumber() {
        return sent < toSend && sent - acknowledged < window;
    }

    /** Half a window early, so that the other end need not stop; and at the end, where nothing more would carry it. */
    private boolean acknowledgementDue() {
        return acknowledge
                || accounted - told >= Math.max(1, window / 2)
                || (accounted == toReceive && told < toReceive);
    }
}
