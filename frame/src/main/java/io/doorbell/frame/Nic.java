package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.time.Duration;
import java.util.Optional;

/**
 * A network interface controller that this process drives by itself.
 *
 * {@snippet :
 * try (Nic nic = Nic.open("0000:01:00.0")) {
 *     nic.awaitLink(Duration.ofSeconds(10));
 *     FrameBatch batch = new FrameBatch(32);
 *     while (running) {
 *         nic.rxQueue(0).receive(batch);
 *         nic.txQueue(0).send(batch);
 *         batch.release(); // what the ring had no room for
 *     }
 * }
 * }
 *
 * <p>The queues belong to the threads that poll them, one thread a queue. Everything here may be called by any other thread
 * at any time, also while they poll: {@link #start}, {@link #stop}, {@link #reset} and {@link #close} wait for the end of a
 * poll, and polls find nothing to do until they are done. Then those of a NIC that was stopped get an
 * {@link IllegalStateException}, and those of one that was closed a {@link NicClosedException}, as all calls do but
 * {@link #stop} and {@link #close}, and those that say what the NIC is and has: {@link #name}, {@link #model}, {@link
 * #macAddress}, {@link #queues}, {@link #rxQueue}, {@link #txQueue}, {@link #pool}, {@link #abilities}, {@link #find} and
 * {@link #ability}. So a loop may end because a hook closes its NIC when the JVM is told to end.
 *
 * <p>What is set while the NIC is stopped goes for when it runs again.
 */
public interface Nic extends AutoCloseable {

    /** Opens and starts a NIC with {@link NicConfig#defaults}. */
    static Nic open(String name) {
        return open(name, NicConfig.defaults());
    }

    /**
     * Opens and starts a NIC: it is reset, its rings are set up, and it receives.
     *
     * <p>A back-end ({@code vhost-user-backend:}) is the device that a virtual machine, or another process, drives:
     *
     * <ul>
     *   <li>This returns as soon as it listens, before anybody has connected. Until a front-end has started its queues,
     *       and whenever there is none, the link is down, {@code receive} and {@code send} return 0, and nothing need be
     *       done: {@link #awaitLink} waits for one, a loop just polls on.
     *   <li>Front-ends come and go, one at a time: a virtual machine may reboot, and QEMU start again. The NIC stays open,
     *       and needs no {@link #reset}. {@link #statistics} counts them as {@code sessions}. The other way round,
     *       whether a front-end connects anew after this NIC was opened again is up to it: QEMU does with
     *       {@code reconnect-ms=100}.
     *   <li>A front-end that does what it must not is disconnected. Where a poll has found that out, it throws
     *       {@link BrokenDeviceException}, once for each queue; the next front-end is served like any other.
     *   <li>A socket that a process left behind that was killed is replaced. Where a process still listens, or a file of
     *       another kind is, this fails. {@link #close} removes the socket.
     * </ul>
     *
     * <p>A front-end ({@code vhost-user:}) needs its back-end to listen when it is opened, or this fails. After that the
     * back-end may go and come back; the link is down meanwhile.
     *
     * @param name the PCI address of a function that is bound to {@code vfio-pci}, such as {@code 0000:01:00.0}; or the
     *     socket of another process, {@code vhost-user:/run/x.sock} to connect to, {@code vhost-user-backend:/run/x.sock}
     *     to listen on
     * @throws DoorbellException when there is no such NIC, no driver for it, or it cannot be taken
     */
    static Nic open(String name, NicConfig config) {
        return NicCandidate.named(name).open(config);
    }

    /** What it was opened as. */
    String name();

    /** The model, as its maker calls it. */
    String model();

    /** The unicast address that it answers to. */
    MacAddress macAddress();

    /**
     * How many receive queues there are, and as many transmit queues: {@link NicConfig#withQueues}. Each is for one
     * thread at a time; threads on queues of their own do not wait for each other.
     */
    int queues();

    /**
     * The receive queue with this index.
     *
     * @param index from 0 to {@link #queues()} − 1
     * @throws IndexOutOfBoundsException for another one
     */
    RxQueue rxQueue(int index);

    /**
     * The transmit queue with this index.
     *
     * @param index from 0 to {@link #queues()} − 1
     * @throws IndexOutOfBoundsException for another one
     */
    TxQueue txQueue(int index);

    /** The pool of receive queue 0, which is that of all queues where there is one queue, or one pool for all. */
    default FramePool pool() {
        return rxQueue(0).pool();
    }

    /** What the link is now: down on a NIC that is stopped. */
    LinkState linkState();

    /**
     * Waits until the link is up.
     *
     * @param timeout how long; where that is no time at all, it looks once
     * @return the link as it came up
     * @throws DoorbellException when it is still down after {@code timeout}; the message says what was seen
     */
    LinkState awaitLink(Duration timeout);

    /**
     * Whether to receive frames for other addresses than the NIC's own too.
     *
     * @throws DoorbellException when the device cannot tell them apart
     */
    void promiscuous(boolean on);

    /** What the NIC can do beyond what every NIC can; the same at any time, and after {@link #close} too. */
    Abilities abilities();

    /**
     * One ability, for an application that can do without.
     *
     * @param type an interface of {@link io.doorbell.frame.ability}
     */
    default <A extends Ability> Optional<A> find(Class<A> type) {
        return abilities().find(type);
    }

    /**
     * One ability, for an application that cannot do without.
     *
     * @param type an interface of {@link io.doorbell.frame.ability}
     * @throws DoorbellException when the NIC has it not; the message says why
     */
    default <A extends Ability> A ability(Class<A> type) {
        return abilities().require(type);
    }

    /**
     * What has been counted since the NIC was opened.
     *
     * @throws BrokenDeviceException when the device is gone; what it had counted until it was last asked can be had once
     *     the NIC is stopped
     */
    NicStatistics statistics();

    /**
     * Stops receiving and sending, and takes the rings from the device. Frames in the rings are dropped, and their
     * buffers go back to the pools. A second call does nothing.
     */
    void stop();

    /** Starts again after {@link #stop}, as {@code open} does. Does nothing on a NIC that runs. */
    void start();

    /**
     * Sets a NIC up anew that does not work any more, as a {@link BrokenDeviceException} says: the device is reset, and
     * the NIC runs. Unlike {@link #stop}, it does not wait for frames to be sent. Frames in the rings are dropped, those
     * not yet sent count as {@link NicStatistics#txErrors}, and their buffers go back to the pools.
     *
     * @throws DoorbellException when the device does not let itself be reset; it may be gone
     */
    void reset();

    /**
     * Stops, leaves the device quiet and releases it, its memory last: all is released even if this throws. Where another
     * thread is closing the NIC already, this waits until it has. A second call does nothing.
     *
     * <p>Frames of the NIC's own pool that the application still holds lose their bytes, and can be released only.
     */
    @Override
    void close();
}
