package io.doorbell.virtio.transport;

import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.virtio.spec.DeviceStatus;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.QueueAddresses;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a driver speaks to a virtio device, apart from its rings: chapter 2 of the specification as an interface, chapter
 * 4 (or vhost-user) behind it. Set-up only; the one thing that the hot path calls is a {@link Doorbell}.
 *
 * <p>One thread at a time, except for doorbells.
 */
public interface VirtioTransport extends AutoCloseable {

    /** What it is, such as {@code modern PCI}. */
    String description();

    /** What the device reaches. Regions close with the transport. */
    DmaSpace dma();

    // ---- 2.1 device status

    /** Bits of {@link DeviceStatus}. */
    int status();

    /** Adds bits to the status; none is ever taken away but by {@link #reset}. */
    void addStatus(int bits);

    /**
     * Resets the device (2.4) and waits until it has done so: it has then forgotten all queues.
     *
     * @throws io.doorbell.DoorbellException when it does not in time
     */
    void reset();

    /**
     * Who may still be at the queues that were enabled, although they have been {@link #reset}: it can only be waited for.
     *
     * @return null when nobody is; asked a second time, null
     */
    default @Nullable Straggler takeStraggler() {
        return null;
    }

    /** Lets the device reach memory, or forbids it, where there is such a switch. */
    void allowDma(boolean allowed);

    // ---- 2.2 features

    /** All that the device offers. */
    long deviceFeatures();

    /** Tells the device which of them are used. */
    void driverFeatures(long features);

    /**
     * Those of them that need no commands here, and so no control queue, since what the transport does anyway says as
     * much.
     */
    default long withoutCommands() {
        return 0;
    }

    /**
     * Whether {@link DeviceStatus#FEATURES_OK} exists, the rings are little-endian and the header has 12 bytes: always,
     * except for a legacy device, to which {@link Feature#VIRTIO_F_VERSION_1} is unknown.
     */
    boolean isModern();

    // ---- 2.5 device configuration space

    /** Bytes that the device has there; fields beyond do not exist. */
    int configSize();

    int config8(int offset);

    int config16(int offset);

    int config32(int offset);

    /** Changes whenever the configuration has changed; always 0 where the transport has no such thing. */
    int configGeneration();

    // ---- 2.6 virtqueues

    /** How many queues the device has: indices from 0. */
    int queues();

    /** The most entries that a queue can have; 0 when there is no such queue. */
    int queueMaxSize(int index);

    /** Whether a queue must have exactly {@link #queueMaxSize} entries, as with a legacy device. */
    boolean queueSizeIsFixed();

    /** How the device comes by more queues, as advice for whoever has asked for {@code pairs} and does not get them. */
    default String remedyForQueues(int pairs) {
        return "ask for fewer, or give the device more (with QEMU, -netdev tap,queues=" + pairs
                + " and -device virtio-net-pci,mq=on)";
    }

    /**
     * Sets a queue up and enables it.
     *
     * @return what tells the device of new buffers in it; to be rung after DRIVER_OK only
     */
    Doorbell enableQueue(int index, QueueAddresses queue);

    /**
     * The queue, which is enabled, has its first buffers. Where a device has to be told, it holds frames back, or drops
     * them, until then.
     */
    default void startQueue(int index) {}

    /** Whether the device can interrupt for each of so many pairs of queues, by {@link #interrupt}. */
    default boolean canInterrupt(int pairs) {
        return false;
    }

    /**
     * Has the device interrupt from now on, until its next reset: for its configuration, and for receive queues, those that are
     * enabled and those that will be, where their rings ask for that.
     */
    default void enableInterrupts(int pairs) {}

    /** What the device interrupts by when its configuration has changed; null while it does not. Any thread may ask. */
    default @Nullable EventFd configurationInterrupt() {
        return null;
    }

    /**
     * What the device interrupts by when it has used buffers of a queue, where the ring asks for that; null while there is
     * none, as before the queue was enabled. Any thread may ask, and need not wait.
     */
    default @Nullable EventFd interrupt(int index) {
        return null;
    }

    /** Has {@code listener} run when the device is lost for good, as {@link io.doorbell.pci.PciFunction#onLoss} does. */
    default void onLoss(Consumer<String> listener) {}

    /** Resets one queue (2.6.1), which needs {@link Feature#VIRTIO_F_RING_RESET}, and waits until that is done. */
    void resetQueue(int index);

    /** What the transport can show without changing anything that the device or the driver would notice. */
    List<RegisterValue> registers();

    /** Takes memory and device away from each other and lets both go. The device has been reset. */
    @Override
    void close();
}
