package io.doorbell.virtio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Stands before a queue: the thread that polls it passes through once a poll, and the thread that sets the queue up
 * shuts it for as long as that takes. Whoever finds it shut does not wait but comes back with the next poll. What one
 * side did before it left the gate the other sees behind it.
 */
final class VhostGate {

    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(VhostGate.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int FREE = 0;
    private static final int INSIDE = 1;
    private static final int SHUT = 2;

    @SuppressWarnings("UnusedVariable") // through STATE
    private int state;

    /** For the thread that polls: false when the gate is shut; else {@link #leave} must follow. */
    boolean enter() {
        return STATE.compareAndSet(this, FREE, INSIDE);
    }

    void leave() {
        STATE.setRelease(this, FREE);
    }

    /** Waits until the queue's thread has left, for the rest of its poll at most, and keeps it out. */
    void shut() {
        while (!STATE.compareAndSet(this, FREE, SHUT)) {
            if ((int) STATE.getAcquire(this) == SHUT) {
                throw new IllegalStateException("the gate is shut already");
            }
            Thread.onSpinWait();
        }
    }

    void open() {
        STATE.setRelease(this, FREE);
    }
}
