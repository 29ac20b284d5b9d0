package io.doorbell.frame.ability;

import io.doorbell.dma.kernel.EventFd;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What wakes a thread that sleeps until a queue, or a link, has news: the device by its {@link #event}, the driver by
 * {@link #ring}. Nothing is lost between a poll in vain and the sleep: {@link #arm} asks the device to tell, and then looks
 * once more.
 */
public abstract class Alarm {

    private final List<Runnable> sleepers = new CopyOnWriteArrayList<>();

    /** One that nobody waits for yet. */
    protected Alarm() {}

    /** From now on has {@link #ring} call this, which wakes a thread. Any thread may. */
    public final void attach(Runnable sleeper) {
        sleepers.add(sleeper);
    }

    /** Undoes {@link #attach}. Any thread may. */
    public final void detach(Runnable sleeper) {
        sleepers.remove(sleeper);
    }

    /** Wakes whoever sleeps, since what it waits for has changed, or what tells of it. Any thread may. */
    public final void ring() {
        sleepers.forEach(Runnable::run);
    }

    /**
     * Asks the device to tell of what comes from now on. On the queue's thread.
     *
     * @return whether there is something to be done already, so that nobody should sleep
     */
    public abstract boolean arm();

    /** Asks the device not to tell any more: the thread is awake, and polls. On the queue's thread, after {@link #arm}. */
    public abstract void disarm();

    /** What the device tells by; null while there is no device, or none that tells. Whenever it is another, {@link #ring}. */
    public abstract @Nullable EventFd event();
}
