package io.doorbell.frame.waiting;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.ability.QueueInterrupts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import jnr.constants.platform.Errno;
import org.jspecify.annotations.Nullable;

/**
 * Lets the thread of one or several receive queues sleep while there is nothing to do, instead of polling on: until a frame
 * arrives, a NIC changes, another thread calls {@link #wake}, or the time is over.
 *
 * {@snippet :
 * try (QueueWaiter waiter = new QueueWaiter().add(nic, 0)) {
 *     while (running) {
 *         if (nic.rxQueue(0).receive(batch) == 0) {
 *             waiter.await(Duration.ofSeconds(1));
 *         }
 *         // ...
 *     }
 * }
 * }
 *
 * <p>Poll first, and sleep when that was in vain, as above: a sleep costs two system calls and some microseconds until the
 * thread runs again, so that a thread with much to do had better poll a few hundred times more before it sleeps. Whatever
 * comes between the last poll and the sleep ends the sleep. That it has ended says only that it makes sense to poll; there need
 * not be a frame.
 *
 * <p>What ends a sleep, too: the NIC is stopped, started, reset or closed, whereupon a poll says so; its peer goes or comes
 * back. Not so an interrupt ({@link Thread#interrupt}), which Linux knows nothing of.
 *
 * <p>Belongs to the thread that polls, {@link #wake} and {@link #close} excepted. A virtual thread may wait, too, and keeps no
 * carrier from others meanwhile: a thread of the waiter's own makes the system call for it.
 */
public final class QueueWaiter implements AutoCloseable {

    /** {@code struct pollfd}: descriptor (4), events asked for (2), events that are (2). */
    private static final int POLLFD = 8;

    private static final int EVENTS = 4;
    private static final int RETURNED = 6;

    /** poll(2) passes over a negative descriptor. */
    private static final int NONE = -1;

    private final Kernel kernel = Kernel.linux();
    private final EventFd woken = EventFd.create(kernel);
    private final Runnable wake = this::wake;
    private final List<Alarm> alarms = new ArrayList<>();

    /** That of {@link #woken}, and then of each alarm's event. */
    private MemorySegment descriptors = descriptors(0);

    /** Held by the thread that waits, so that nothing is closed under it. */
    private final ReentrantLock waiting = new ReentrantLock();

    private volatile boolean closed;

    /** Makes the system call for virtual threads; null before the first. Under the lock. */
    private @Nullable ExecutorService helper;

    /** One that waits for nothing yet but {@link #wake}. */
    public QueueWaiter() {}

    /**
     * Waits for frames in a receive queue too, and for whatever changes about it.
     *
     * @throws io.doorbell.DoorbellException when the NIC has no {@link QueueInterrupts}
     * @throws IndexOutOfBoundsException when it has no such queue
     */
    public QueueWaiter add(Nic nic, int queue) {
        return add(nic.ability(QueueInterrupts.class).rxAlarm(queue));
    }

    /** Waits for the link of a NIC to come up or go down too; once for each change. */
    public QueueWaiter addLink(Nic nic) {
        return add(nic.ability(QueueInterrupts.class).linkAlarm());
    }

    /** Waits for whatever an alarm tells of: for drivers, and for tests. */
    public QueueWaiter add(Alarm alarm) {
        waiting.lock();
        try {
            requireOpen();
            alarms.add(alarm);
            descriptors = descriptors(alarms.size());
            alarm.attach(wake);
            return this;
        } finally {
            waiting.unlock();
        }
    }

    private static MemorySegment descriptors(int alarms) {
        MemorySegment all = Arena.ofAuto().allocate((long) (1 + alarms) * POLLFD, Integer.BYTES);
        for (int i = 0; i <= alarms; i++) {
            all.set(ValueLayout.JAVA_SHORT, (long) i * POLLFD + EVENTS, (short) Kernel.POLLIN);
        }
        return all;
    }

    /**
     * Sleeps, unless there is something to do already.
     *
     * @param timeout how long at most; where that is no time at all, it looks once. Milliseconds count: less is one
     * @return false when the time was over, and nothing has happened
     * @throws IllegalStateException when this is closed, before or meanwhile
     * @throws io.doorbell.DoorbellException as {@link io.doorbell.frame.RxQueue#receive} does
     */
    public boolean await(Duration timeout) {
        waiting.lock();
        try {
            requireOpen();
            boolean happened = woken.clear() || armAndSleep(TimeUnit.NANOSECONDS.convert(timeout));
            requireOpen();
            return happened;
        } finally {
            waiting.unlock();
        }
    }

    private boolean armAndSleep(long nanos) {
        int armed = 0;
        try {
            boolean ready = false;
            while (!ready && armed < alarms.size()) {
                ready = alarms.get(armed++).arm();
            }
            return ready || sleep(nanos);
        } finally {
            for (int i = 0; i < armed; i++) {
                alarms.get(i).disarm();
            }
        }
    }

    private boolean sleep(long nanos) {
        long start = System.nanoTime();
        setDescriptor(0, woken);
        for (int i = 0; i < alarms.size(); i++) {
            setDescriptor(1 + i, alarms.get(i).event());
        }
        while (true) {
            long left = nanos - (System.nanoTime() - start);
            int millis = Math.clamp((left + 999_999) / 1_000_000, 0, Integer.MAX_VALUE);
            if (poll(millis) > 0) {
                if (descriptors.get(ValueLayout.JAVA_SHORT, RETURNED) != 0) {
                    woken.clear();
                }
                return true;
            }
            if (System.nanoTime() - start >= nanos) {
                return false;
            }
        }
    }

    private void setDescriptor(int index, @Nullable EventFd event) {
        descriptors.set(ValueLayout.JAVA_INT, (long) index * POLLFD, event == null ? NONE : event.fd());
    }

    /** How many descriptors have events; 0 also when a signal came first. */
    private int poll(int millis) {
        if (!Thread.currentThread().isVirtual()) {
            return pollHere(millis);
        }
        if (helper == null) {
            helper = Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("doorbell waiter").factory());
        }
        return CompletableFuture.supplyAsync(() -> pollHere(millis), helper).join();
    }

    private int pollHere(int millis) {
        try {
            return kernel.poll(descriptors, millis);
        } catch (KernelException e) {
            if (e.errno() == Errno.EINTR) {
                return 0;
            }
            throw e;
        }
    }

    /** Ends the sleep of the thread that waits; if none does, the next one's. Any thread may call this, at any time. */
    public void wake() {
        synchronized (woken) {
            if (!closed) {
                woken.signal();
            }
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the waiter is closed");
        }
    }

    /** Wakes a thread that waits, and lets go of the queues. A second call does nothing. */
    @Override
    public void close() {
        synchronized (woken) {
            if (closed) {
                return;
            }
            woken.signal();
            closed = true;
        }
        waiting.lock();
        try {
            alarms.forEach(alarm -> alarm.detach(wake));
            woken.close();
            if (helper != null) {
                helper.shutdown();
            }
        } finally {
            waiting.unlock();
        }
    }
}
