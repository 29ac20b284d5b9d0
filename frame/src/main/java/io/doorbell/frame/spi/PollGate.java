package io.doorbell.frame.spi;

import io.doorbell.frame.NicClosedException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Stands before a queue: the thread that polls it passes through once a poll, and the thread that starts, stops or closes
 * the queue shuts it for as long as that takes. Whoever finds it shut does not wait but comes back with the next poll.
 * What one side did before it left the gate the other sees behind it.
 *
 * <pre>
 *   public int receive(FrameBatch batch) {
 *       if (!gate.enter()) {
 *           return gate.turnedAway();
 *       }
 *       try {
 *           …
 *       } finally {
 *           gate.leave();
 *       }
 *   }
 * </pre>
 *
 * <p>It costs one uncontended compare-and-set a poll. A second thread that polls the same queue is turned away, too.
 */
public final class PollGate {

    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(PollGate.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int FREE = 0;
    private static final int INSIDE = 1;
    private static final int SHUT = 2;
    private static final int CLOSED = 3;

    /** Spins before it sleeps between looks: longer than a poll takes that is not interrupted. */
    private static final int SPINS = 10_000;

    private static final long PAUSE_NANOS = 50_000;

    private final String queue;

    @SuppressWarnings("UnusedVariable") // through STATE
    private int state;

    /** What a poll is told once the gate is closed; written before that. */
    private Function<String, RuntimeException> end = NicClosedException::new;

    /** What is to be done whenever polls may find something else than before. */
    private volatile Runnable change = () -> {};

    /**
     * Makes a gate that is open.
     *
     * @param queue what it stands before, for messages
     */
    public PollGate(String queue) {
        this.queue = queue;
    }

    /** Has {@code listener} run whenever the gate has been opened, or closed: for whoever sleeps before it. */
    public void onChange(Runnable listener) {
        change = listener;
    }

    /** For the thread that polls: false when it is turned away; else {@link #leave} must follow. */
    public boolean enter() {
        return STATE.compareAndSet(this, FREE, INSIDE);
    }

    /** For the thread that {@link #enter entered}. */
    public void leave() {
        STATE.setRelease(this, FREE);
    }

    /**
     * What a poll says that was not let in: nothing was done.
     *
     * @return 0
     * @throws NicClosedException when no poll will ever be let in again, or what else {@link #close(Function)} was told
     */
    public int turnedAway() {
        if ((int) STATE.getAcquire(this) == CLOSED) {
            throw end.apply(queue);
        }
        return 0;
    }

    /**
     * Waits until the queue's thread has left, for the rest of its poll at most, and keeps it out. One thread at a time
     * shuts and opens a gate.
     *
     * @throws IllegalStateException when it is shut already
     * @throws NicClosedException when it is closed
     */
    public void shut() {
        for (long spins = 0; !STATE.compareAndSet(this, FREE, SHUT); spins++) {
            int now = (int) STATE.getAcquire(this);
            if (now == SHUT) {
                throw new IllegalStateException(queue + ": the gate is shut already");
            }
            if (now == CLOSED) {
                throw end.apply(queue);
            }
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(PAUSE_NANOS); // the other thread may wait for this core
            }
        }
    }

    /** Lets polls in again; for the thread that shut it. */
    public void open() {
        STATE.setRelease(this, FREE);
        change.run();
    }

    /** Keeps polls out for ever, once the queue's thread has left. Does nothing when it is closed already. */
    public void close() {
        close(NicClosedException::new);
    }

    /**
     * As the other one.
     *
     * @param why makes what a poll throws from then on, of what this stands before
     */
    public void close(Function<String, RuntimeException> why) {
        int now = (int) STATE.getAcquire(this);
        if (now == CLOSED) {
            return;
        }
        if (now != SHUT) {
            shut();
        }
        end = why;
        STATE.setRelease(this, CLOSED);
        change.run();
    }
}
