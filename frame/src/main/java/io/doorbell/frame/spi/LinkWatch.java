package io.doorbell.frame.spi;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.event.LinkChange;
import org.jspecify.annotations.Nullable;

/** Remembers what the link of a NIC was, reports when it is another, and wakes whoever waits for that. Thread-safe. */
public final class LinkWatch {

    private final String nic;
    private LinkState last = LinkState.DOWN;
    private final LinkAlarm alarm = new LinkAlarm();

    /**
     * For a link that is down.
     *
     * @param nic the NIC's name
     */
    public LinkWatch(String nic) {
        this.nic = nic;
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

    /** Of each change that is {@link #seen}, wherever it is seen first. */
    public Alarm alarm() {
        return alarm;
    }

    private final class LinkAlarm extends Alarm {

        /** What whoever waits has been woken for; an alarm belongs to one thread at a time. */
        private LinkState told = LinkState.DOWN;

        @Override
        public boolean arm() {
            LinkState now = last();
            boolean news = !now.equals(told);
            told = now;
            return news;
        }

        @Override
        public void disarm() {}

        @Override
        public @Nullable EventFd event() {
            return null;
        }
    }
}
