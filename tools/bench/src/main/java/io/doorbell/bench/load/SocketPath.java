package io.doorbell.bench.load;

import io.doorbell.DoorbellException;
import io.doorbell.bench.env.Pause;
import io.doorbell.bench.env.PinnedJvm;
import io.doorbell.bench.load.SocketEnd.Count;
import java.time.Duration;

/** A way from one JVM to another, with a {@link SocketEnd} in each. */
public final class SocketPath implements AutoCloseable {

    private static final Duration SETTLE = Duration.ofMillis(300);

    private final PinnedJvm sender;
    private final PinnedJvm receiver;
    private final String where;
    private Count sent = Count.NONE;
    private Count received = Count.NONE;

    /**
     * A path between two JVMs that have started.
     *
     * @param where frames pass, as the ends understand it
     */
    public SocketPath(PinnedJvm sender, PinnedJvm receiver, String where) {
        this.sender = sender;
        this.receiver = receiver;
        this.where = where;
    }

    /** Lets frames pass for so long, once they do so steadily; returns how many millions arrived in a second. */
    public double measure(Duration window) {
        sender.ask("send " + receiver.ask("receive " + where));
        Pause.of(SETTLE);
        Count senderBefore = Count.parse(sender.ask("count"));
        Count before = Count.parse(receiver.ask("count"));
        Pause.of(window);
        Count arrived = Count.parse(receiver.ask("count")).minus(before);
        Count left = Count.parse(sender.ask("count")).minus(senderBefore);
        sender.ask("stop");
        receiver.ask("stop");
        if (arrived.frames() == 0) {
            throw new DoorbellException("no frame arrived within " + window.toMillis() + " ms");
        }
        sent = sent.plus(left);
        received = received.plus(arrived);
        return arrived.frames() * 1e3 / arrived.nanos();
    }

    /** How many bytes both ends together have allocated for a frame, since this was last asked. */
    public double bytes() {
        double bytes = sent.bytes() + received.bytes();
        sent = Count.NONE;
        received = Count.NONE;
        return bytes;
    }

    @Override
    public void close() {
        sender.close();
        receiver.close();
    }
}
