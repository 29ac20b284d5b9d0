package io.doorbell.tools.demo;

import io.doorbell.DoorbellException;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.qemu.link.NumberedExchange.Counts;
import io.doorbell.tools.text.Progress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A link peer's part in the exchange of numbered frames, on a thread of its own until it is closed. */
final class PeerExchange implements AutoCloseable {

    /** How many frames may be under way: what half a receive ring of {@code NicConfig.defaults()} has room for. */
    static final int WINDOW = 256;

    /** When nothing has moved for so long, the other end is asked where it stands. */
    static final Duration SILENCE = Duration.ofMillis(200);

    private static final Duration NAP = Duration.ofMillis(1);
    private static final Duration JOIN = Duration.ofSeconds(10);
    private static final int FRAMES_PER_COUNT = 512;

    private final FramePeer peer;
    private final NumberedExchange exchange;
    private final Progress progress;
    private final Runnable underWay;
    private final long total;
    private final Thread thread =
            Thread.ofPlatform().daemon().name("doorbell-peer").unstarted(this::run);
    private boolean isUnderWay;
    private volatile boolean closed;
    private volatile long received;
    private volatile @Nullable RuntimeException failure;

    /**
     * @param nicMac where the frames go
     * @param peerMac where they come from
     * @param underWay is run once, on the exchange's thread, when some hundreds of frames have moved
     */
    PeerExchange(FramePeer peer, long nicMac, long peerMac, int frames, Progress progress, Runnable underWay) {
        this.peer = peer;
        this.progress = progress;
        this.underWay = underWay;
        this.total = 2L * frames;
        exchange = new NumberedExchange(nicMac, peerMac, frames, frames, WINDOW);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            // Goes on when its own part is over: the NIC's end may not have been told.
            while (!closed) {
                pollUntilQuiet();
                if (!exchange.isFinished()) {
                    exchange.remind();
                }
            }
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    private void pollUntilQuiet() {
        long moved = 0;
        long shown = 0;
        long quietSince = System.nanoTime();
        while (!closed && System.nanoTime() - quietSince < SILENCE.toNanos()) {
            long before = moved;
            moved += receive() + send();
            if (moved != before) {
                quietSince = System.nanoTime();
            } else if (peer.poll(NAP)) {
                accept();
                moved++;
            }
            if (moved - shown >= FRAMES_PER_COUNT) {
                Counts counts = exchange.counts();
                if (!isUnderWay) {
                    isUnderWay = true;
                    underWay.run();
                }
                received = counts.received();
                progress.count(counts.sent() + counts.received(), total);
                shown = moved;
            }
        }
    }

    private int receive() {
        int received = 0;
        while (peer.poll()) {
            accept();
            received++;
        }
        return received;
    }

    private void accept() {
        exchange.accept(peer.inbox(), peer.offset(), peer.length());
    }

    private int send() {
        int sent = 0;
        for (int length = exchange.nextLength(); length > 0; length = exchange.nextLength()) {
            long at = peer.tryReserve(length);
            if (at < 0) {
                break;
            }
            exchange.write(peer.outbox(), at);
            sent++;
        }
        peer.tryFlush();
        return sent;
    }

    /** How many frames had arrived of late. */
    long received() {
        return received;
    }

    /**
     * Ends the exchange and tells what became of it.
     *
     * @throws RuntimeException what the exchange died of, if it did
     */
    Counts finish() {
        close();
        RuntimeException cause = failure;
        if (cause != null) {
            throw cause;
        }
        return exchange.counts();
    }

    /** A second call does nothing. */
    @Override
    public void close() {
        closed = true;
        try {
            if (thread.getState() != Thread.State.NEW && !thread.join(JOIN)) {
                throw new DoorbellException("the peer of the exchange did not end within " + JOIN.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DoorbellException("interrupted while the peer of the exchange ended", e);
        }
    }
}
