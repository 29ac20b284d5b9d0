package io.doorbell.frame.spi;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.event.LinkChange;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Remembers what the link of a NIC was, reports when it is another, and wakes whoever waits for that. Thread-safe. */
public final class LinkWatch {

    private final String nic;
    private LinkState last = LinkState.DOWN;
    private volatile boolean closed;
    private final LinkAlarm alarm = new LinkAlarm();
    private final Runnable look;
    private final Supplier<@Nullable EventFd> event;

    /**
     * For a link that is down, of a NIC which says by itself when that changes.
     *
     * @param nic the NIC's name
     */
    public LinkWatch(String nic) {
        this(nic, () -> {}, () -> null);
    }

    /**
     * As the other one, of a NIC whose device interrupts when its link changes.
     *
     * @param look has the device tell of the next change, and then calls {@link #seen} with what there is
     * @param event what it tells by, or null while there is nothing
     */
    public LinkWatch(String nic, Runnable look, Supplier<@Nullable EventFd> event) {
        this.nic = nic;
        this.look = look;
        this.event = event;
    }

    /** Takes note of what the link is now, and returns that. */
    public LinkState seen(LinkState now) {
        if (isNew(now)) {
            alarm.ring();
        }
        return now;
    }

    private synchronized boolean isNew(LinkState now) {
        if (now.equals(last)) {
            return false;
        }
        last = now;
        LinkChange.report(nic, now);
        return true;
    }

    private synchronized LinkState last() {
        return last;
    }

    /** Of each change, wherever it is {@link #seen} first. */
    public Alarm alarm() {
        return alarm;
    }

    /** The NIC is closed: nobody is to wait for its link any more, or to ask it. */
    public void close() {
        closed = true;
        alarm.ring();
    }

    private final class LinkAlarm extends Alarm {

        /** What whoever waits has been woken for; an alarm belongs to one thread at a time. */
        private LinkState told = LinkState.DOWN;

        @Override
        public boolean arm() {
            if (closed) {
                return true;
            }
            try {
                EventFd tells = event();
                if (tells != null) {
                    tells.clear(); // before the device is asked: what it tells from then on counts
                }
            } catch (KernelException e) {
                if (closed) {
                    return true; // by another thread, just now, and with it the counter
                }
                throw e;
            }
            look.run();
            LinkState now = last();
            boolean news = !now.equals(told);
            told = now;
            return news;
        }

        @Override
        public void disarm() {}

        @Override
        public @Nullable EventFd event() {
            return event.get();
        }
    }
}
