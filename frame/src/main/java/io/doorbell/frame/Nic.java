package io.doorbell.frame;

import io.doorbell.DoorbellException;
import io.doorbell.frame.spi.NicProvider;
import io.doorbell.frame.spi.Practice;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

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
 * {@link #name}, {@link #model}, {@link #macAddress}, {@link #queues}, {@link #stop} and {@link #close}. So a loop may end
 * because a hook closes its NIC when the JVM is told to end.
 */
public interface Nic extends AutoCloseable {

    /** Opens and starts a NIC with {@link NicConfig#defaults}. */
    static Nic open(String name) {
        return open(name, NicConfig.defaults());
    }

    /**
     * Opens and starts a NIC: it is reset, its rings are set up, and it receives.
     *
     * @param name the PCI address of a function that is bound to {@code vfio-pci}, such as {@code 0000:01:00.0}; or the
     *     socket of another process, {@code vhost-user:/run/x.sock} to connect to, {@code vhost-user-backend:/run/x.sock}
     *     to listen on
     * @throws DoorbellException when there is no such NIC, no driver for it, or it cannot be taken
     */
    static Nic open(String name, NicConfig config) {
        return NicProvider.forName(name).open(name, config);
    }

    /**
     * Warms up the application's loop, so that it loses nothing when the NIC is opened: calls one turn of it again and
     * again, with NICs to practise on, until the JIT has compiled all that it is going to. They are of the classes that
     * the real one will be of. Frames arrive there, of several lengths and protocols, and leave; there are none for a
     * while, too many, or no buffers.
     *
     * <p>Call it before {@link #open}, with the same arguments. The turn should be what the loop calls later on, and not
     * wait. It may keep frames from call to call in a batch that goes out of use with the warm-up: its frames do. A pool
     * of the application's ({@link NicConfig#withPool}) is emptied for moments: no other NIC may be using it.
     *
     * @param atMost when to leave off even if something is still being compiled
     * @param turn receives, looks, sends and releases, as the application does
     * @throws DoorbellException when the NIC's driver has nothing to practise on, or it could not be opened so either
     */
    static WarmUp warmUp(String name, NicConfig config, Duration atMost, Consumer<Nic> turn) {
        if (!atMost.isPositive()) {
            throw new IllegalArgumentException("a warm-up takes some time: atMost must be positive, not " + atMost);
        }
        NicProvider provider = NicProvider.forName(name);
        List<Practice> practices = provider.practice(name, config);
        if (practices.isEmpty()) {
            throw new DoorbellException("the driver for '" + name + "' (" + provider.driver()
                    + ") has nothing to practise on: open the NIC without a warm-up");
        }
        Settling settling = new Settling(System::nanoTime, new CompilerTime(), atMost);
        int ringSize = Math.max(config.rxRingSize(), config.txRingSize());
        try (Rehearsal rehearsal = new Rehearsal(practices, turn, ringSize, settling)) {
            return rehearsal.run();
        }
    }

    /** What it was opened as. */
    String name();

    /** The model, as its maker calls it. */
    String model();

    /** The station address that it answers to. */
    MacAddress macAddress();

    /**
     * How many receive queues there are, and as many transmit queues: {@link NicConfig#withQueues}. Each is for one
     * thread at a time; threads on queues of their own do not wait for each other.
     */
    int queues();

    /** The receive queue with this index, from 0 to {@link #queues()} − 1. */
    RxQueue rxQueue(int index);

    /** The transmit queue with this index, from 0 to {@link #queues()} − 1. */
    TxQueue txQueue(int index);

    /** What the link is now. */
    LinkState linkState();

    /**
     * Waits until the link is up.
     *
     * @return the link as it came up
     * @throws DoorbellException when it is still down after {@code timeout}; the message says what was seen
     */
    LinkState awaitLink(Duration timeout);

    /**
     * Whether to receive frames for other stations too.
     *
     * @throws DoorbellException when the device cannot tell them apart
     */
    void promiscuous(boolean on);

    /**
     * Whether to receive the frames of all multicast groups. At first, broadcasts and no others are received.
     *
     * @throws DoorbellException when the device or its driver cannot
     */
    default void allMulticast(boolean on) {
        throw new DoorbellException(name() + ": its driver cannot choose frames of multicast groups");
    }

    /**
     * Whether to receive the frames for all stations, of multicast groups no more than before.
     *
     * @throws DoorbellException when the device or its driver cannot
     */
    default void allUnicast(boolean on) {
        throw new DoorbellException(name() + ": its driver cannot choose frames for stations apart from others");
    }

    /**
     * Drops frames for these kinds of destinations, even if they are for this station or a group that it is in; those of
     * other kinds are received as ever. Replaces what an earlier call said. A NIC that is {@link #promiscuous} receives
     * them all the same.
     *
     * @throws DoorbellException when the device or its driver cannot
     */
    default void ignore(Set<Destination> kinds) {
        throw new DoorbellException(name() + ": its driver cannot drop frames by the kind of their destination");
    }

    /**
     * Receives frames for these addresses, of stations or of multicast groups, beside those for {@link #macAddress()}.
     * They replace those of an earlier call.
     *
     * @throws DoorbellException when the device or its driver cannot, or not for so many
     */
    default void alsoReceive(Collection<MacAddress> addresses) {
        throw new DoorbellException(name() + ": its driver cannot choose frames by a list of addresses");
    }

    /**
     * Gives the station another address, until the NIC is closed.
     *
     * @throws DoorbellException when the device or its driver cannot, or it is no address for a station
     */
    default void macAddress(MacAddress address) {
        throw new DoorbellException(name() + ": its driver cannot change the station's address");
    }

    /**
     * Whether the device asks, since the last call, for the station to be announced to its network: its machine may have
     * moved to another host, and switches are to learn where it is now. The application then sends a gratuitous ARP
     * (RFC 5227), or the like for IPv6 (RFC 4861, 7.2.6), for each address that it has: which those are no driver knows.
     * To be asked every now and then, once a second say.
     *
     * @throws DoorbellException unless {@link NicConfig#withAnnouncements} was set and device and driver can ask
     */
    default boolean takeAnnouncementRequest() {
        throw new DoorbellException(name() + ": its driver knows nothing of requests for announcements");
    }

    /**
     * Changes what received frames may come with ({@link NicConfig#withReceiveOffloads}) to a part of what the NIC was
     * opened with, or back to all of it. Frames that the device has already put into a queue stay as they are.
     *
     * @param offloads bits of {@link Offloads}
     * @throws DoorbellException when the device or its driver cannot, or it was not opened with one of them
     */
    default void receiveOffloads(int offloads) {
        throw new DoorbellException(name() + ": its driver cannot change what received frames come with");
    }

    /**
     * Changes how received frames are spread over the queues. Frames that the device has already put into a queue stay
     * there, so that for a moment those of one flow may come by two.
     *
     * @throws DoorbellException when the device or its driver cannot, or not so
     */
    default void rss(Rss rss) {
        throw new DoorbellException(name() + ": its driver cannot choose how frames are spread over queues");
    }

    /** How received frames are spread over the queues; empty where the device does as it sees fit, or has one queue. */
    default Optional<Rss> rss() {
        return Optional.empty();
    }

    /** The optional abilities that device and driver have agreed on, or not; empty for devices without such a thing. */
    default List<FeatureState> features() {
        return List.of();
    }

    /**
     * What has been counted since the NIC was opened.
     *
     * @throws BrokenDeviceException when the device is gone; what it had counted until it was last asked can be had once
     *     the NIC is stopped
     */
    NicStatistics statistics();

    /** All registers that the driver declares, in the order of the data sheet. Changes nothing in the device. */
    List<RegisterValue> registers();

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
     * Sets one receive queue up anew, while the others and the transmit queues go on. Its own thread may call this, or
     * another one while that does not poll. Frames in it are dropped, and their buffers go back to the pool.
     *
     * @throws DoorbellException when the device or its driver cannot; {@link #reset} remains
     */
    default void resetRxQueue(int index) {
        throw new DoorbellException(name() + ": its driver cannot set receive queue " + index
                + " up anew without the others: use Nic.reset");
    }

    /**
     * Sets one transmit queue up anew, as {@link #resetRxQueue} does. Frames not yet sent count as
     * {@link NicStatistics#txErrors}.
     *
     * @throws DoorbellException when the device or its driver cannot; {@link #reset} remains
     */
    default void resetTxQueue(int index) {
        throw new DoorbellException(name() + ": its driver cannot set transmit queue " + index
                + " up anew without the others: use Nic.reset");
    }

    /**
     * Stops, leaves the device quiet and releases it, its memory last: all is released even if this throws. Where another
     * thread is closing the NIC already, this waits until it has. A second call does nothing.
     *
     * <p>Frames of the NIC's own pool that the application still holds lose their bytes, and can be released only.
     */
    @Override
    void close();
}
