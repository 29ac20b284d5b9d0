package io.doorbell.virtio.vhost.frontend;

import io.doorbell.DoorbellException;
import io.doorbell.virtio.vhost.VhostMessage;
import io.doorbell.virtio.vhost.VhostProtocol;
import io.doorbell.virtio.vhost.VhostRegion;
import io.doorbell.virtio.vhost.VhostRequest;
import io.doorbell.virtio.vhost.frontend.VhostUserDmaSpace.Shared;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** What a vhost-user back-end has been told of the front-end's memory, and how it learns of changes. One thread at a time. */
final class VhostAnnouncedMemory {

    /** Sends a request and makes sure that it is heeded. */
    interface Teller {
        void announce(VhostRequest request, ByteBuffer payload, List<Integer> files);
    }

    private final String path;
    /** Read by any thread. */
    private volatile List<Shared> known = List.of();

    /** @param path of the back-end's socket, for messages */
    VhostAnnouncedMemory(String path) {
        this.path = path;
    }

    /** Pieces of memory that the back-end knows of. Any thread may ask. */
    int size() {
        return known.size();
    }

    /** The back-end is gone, and what it knew with it. */
    void forget() {
        known = List.of();
    }

    /**
     * Tells the back-end of what there is now.
     *
     * @param oneByOne whether it takes changes ({@link VhostProtocol#CONFIGURE_MEM_SLOTS}), or whole tables only
     * @throws DoorbellException when there are more pieces than fit into a table
     */
    void update(List<Shared> now, boolean oneByOne, Teller backEnd) {
        if (now.equals(known)) {
            return;
        }
        if (oneByOne) {
            tellChanges(now, backEnd);
        } else if (!now.isEmpty()) {
            // A table cannot be empty: what was in it last stays until there is another.
            tellAll(now, backEnd);
        }
        known = now;
    }

    private void tellChanges(List<Shared> now, Teller backEnd) {
        for (Shared gone : known) {
            if (!now.contains(gone)) {
                backEnd.announce(VhostRequest.REM_MEM_REG, slot(gone), List.of());
            }
        }
        for (Shared added : now) {
            if (!known.contains(added)) {
                backEnd.announce(VhostRequest.ADD_MEM_REG, slot(added), List.of(added.fd()));
            }
        }
    }

    private static ByteBuffer slot(Shared shared) {
        ByteBuffer payload = VhostMessage.bytes(8 + VhostRegion.BYTES).putLong(0);
        shared.region().write(payload);
        return payload;
    }

    private void tellAll(List<Shared> now, Teller backEnd) {
        if (now.size() > VhostRegion.MAX_IN_TABLE) {
            throw new DoorbellException("the vhost-user back-end at " + path + " has room for "
                    + VhostRegion.MAX_IN_TABLE + " pieces of memory, and " + now.size()
                    + " are to be shared with it: open NICs with one pool instead of many");
        }
        ByteBuffer table = VhostMessage.bytes(8 + now.size() * VhostRegion.BYTES)
                .putInt(now.size())
                .putInt(0);
        List<Integer> files = new ArrayList<>();
        for (Shared shared : now) {
            shared.region().write(table);
            files.add(shared.fd());
        }
        backEnd.announce(VhostRequest.SET_MEM_TABLE, table, files);
    }
}
