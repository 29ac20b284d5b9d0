package io.doorbell.virtio.vhost;

import java.nio.ByteBuffer;

/**
 * A piece of the front-end's memory, as it tells the back-end ("Memory region description"). Addresses and sizes are in
 * bytes and unsigned.
 *
 * @param guestAddress where descriptors find it
 * @param size bytes in it
 * @param userAddress where the addresses of rings find it
 * @param offset where it starts in the file that comes along
 */
public record VhostRegion(long guestAddress, long size, long userAddress, long offset) {

    public static final int BYTES = 32;

    /** As many as a table has room for. */
    public static final int MAX_IN_TABLE = 8;

    public static VhostRegion read(ByteBuffer from) {
        return new VhostRegion(from.getLong(), from.getLong(), from.getLong(), from.getLong());
    }

    public void write(ByteBuffer to) {
        to.putLong(guestAddress).putLong(size).putLong(userAddress).putLong(offset);
    }

    @Override
    public String toString() {
        return String.format("guest=0x%x size=0x%x user=0x%x offset=0x%x", guestAddress, size, userAddress, offset);
    }
}
