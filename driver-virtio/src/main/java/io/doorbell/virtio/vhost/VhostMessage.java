package io.doorbell.virtio.vhost;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A message of the vhost-user protocol.
 *
 * @param request what is asked, or answered
 * @param flags {@link #VERSION}, {@link #REPLY}, {@link #NEED_REPLY}
 * @param payload from position 0 to its limit, little-endian
 * @param files descriptors that came along; whoever received the message closes them or passes them on
 */
public record VhostMessage(VhostRequest request, int flags, ByteBuffer payload, List<Integer> files) {

    /** Request (32), flags (32), bytes in the payload (32). */
    public static final int HEADER = 12;

    public static final int VERSION = 1;
    static final int VERSION_MASK = 3;
    public static final int REPLY = 4;
    public static final int NEED_REPLY = 8;

    public static ByteBuffer bytes(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    public static ByteBuffer empty() {
        return bytes(0);
    }

    public static ByteBuffer number(long value) {
        return bytes(8).putLong(0, value);
    }

    /** What a queue's number or base is: "A vring state description". */
    public static ByteBuffer state(int queue, int value) {
        return bytes(8).putInt(0, queue).putInt(4, value);
    }

    public boolean isReply() {
        return (flags & REPLY) != 0;
    }

    public boolean needsReply() {
        return (flags & NEED_REPLY) != 0;
    }
}
