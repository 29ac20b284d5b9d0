package io.doorbell.qemu.link;

/** Where the cable of a guest's NIC leads. Two wires are the same if they are of one kind and number. */
public sealed interface Wire {

    /**
     * A cable whose other end is a {@link FramePeer} in this JVM. No frame is lost on it, however slow either end is: a
     * sender waits for room.
     */
    record Cable(int number) implements Wire {}

    /**
     * A hub, which passes each frame on to all others that are plugged in. A sender never waits: the hub queues for a
     * receiver that has no room, and beyond 10,000 frames it drops.
     */
    record Hub(int number) implements Wire {}

    static Cable cable(int number) {
        return new Cable(number);
    }

    static Hub hub(int number) {
        return new Hub(number);
    }
}
