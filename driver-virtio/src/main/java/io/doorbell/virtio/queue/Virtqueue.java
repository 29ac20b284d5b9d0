package io.doorbell.virtio.queue;

import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.QueueAddresses;

/** What the NIC does with a queue for frames, whatever its layout and direction, while no thread polls it. */
public interface Virtqueue {

    /** Where the device is to find it. */
    QueueAddresses addresses();

    /** Empties the queue's memory, as the device expects to find it when the queue is enabled. */
    void prepare();

    /** Opens the queue, which the device has enabled since {@link #prepare}. */
    void start(Doorbell doorbell);

    /** Refuses polls, and keeps the buffers of the frames in the queue: the device may still be at them. */
    void halt();

    /** Gives back the buffers of all frames in the queue. The device must have let go of it. */
    void stop();

    /** Gives the queue's own memory back, for good. It holds no buffers, and the device has let go of it. */
    void discard();

    QueueCounters counters();
}
