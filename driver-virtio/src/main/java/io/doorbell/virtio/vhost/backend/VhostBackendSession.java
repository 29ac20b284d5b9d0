package io.doorbell.virtio.vhost.backend;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.virtio.spec.DeviceStatus;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.vhost.VhostConnection;
import io.doorbell.virtio.vhost.VhostMessage;
import io.doorbell.virtio.vhost.VhostProtocol;
import io.doorbell.virtio.vhost.VhostRegion;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one front-end has negotiated, from its connection to its end. Requests are handled one by one, each with the
 * gates of all queues shut, so that whoever polls finds either the state before or the state after.
 */
final class VhostBackendSession implements AutoCloseable {

    private static final int STATUS_BITS = 0xff;

    /** What is answered to a request that has no other answer. */
    private static final long DONE = 0;

    private static final long FAILED = 1;

    private final Kernel kernel;
    private final long offered;
    private final List<VhostBackendQueue> queues;
    private final VhostMemory memory;
    private final VhostConnection connection;
    private long features;
    private long protocol;
    private int status;

    /**
     * @param offered features of the device
     * @param queues pairs: what the front-end receives by, what it sends by
     */
    VhostBackendSession(Kernel kernel, VhostConnection connection, long offered, List<VhostBackendQueue> queues) {
        this.kernel = kernel;
        this.connection = connection;
        this.offered = offered | VhostProtocol.PROTOCOL_FEATURES;
        this.queues = queues;
        this.memory = new VhostMemory(kernel);
    }

    /**
     * Does what a message asks for, and answers if it asks for that.
     *
     * @throws DoorbellException when it asks for what cannot be: the connection is to be closed then, as after any other
     *     exception
     */
    void handle(VhostMessage message) {
        ByteBuffer answer;
        try {
            answer = perform(message);
        } catch (RuntimeException | Error e) {
            if (wantsToKnow(message)) {
                refuse(message, e);
            }
            throw e;
        }
        // Whoever gets the answer finds the gates open.
        if (answer != null) {
            connection.send(message.request(), VhostMessage.REPLY, answer, List.of());
        } else if (wantsToKnow(message)) {
            connection.send(message.request(), VhostMessage.REPLY, VhostMessage.number(DONE), List.of());
        }
    }

    private boolean wantsToKnow(VhostMessage message) {
        return message.needsReply()
                && has(VhostProtocol.REPLY_ACK)
                && !message.request().isQuestion();
    }

    /** Says that it failed, to a front-end that may not listen any more. */
    private void refuse(VhostMessage message, Throwable why) {
        try {
            connection.send(message.request(), VhostMessage.REPLY, VhostMessage.number(FAILED), List.of());
        } catch (RuntimeException e) {
            why.addSuppressed(e);
        }
    }

    private @Nullable ByteBuffer perform(VhostMessage message) {
        List<Integer> files = new ArrayList<>(message.files());
        queues.forEach(queue -> queue.gate.shut());
        try {
            if (message.isReply()) {
                throw new DoorbellException(
                        "the front-end sent a reply to " + message.request() + ", which nobody had asked it");
            }
            return perform(message, files);
        } catch (RuntimeException | Error e) {
            queues.forEach(VhostBackendQueue::forget); // before anyone polls: the memory may be half gone
            throw e;
        } finally {
            connection.closeFiles(files);
            openGates();
        }
    }

    private void openGates() {
        for (VhostBackendQueue queue : queues) {
            boolean up = queue.hasRing();
            queue.gate.open();
            queue.show(up);
        }
    }

    /** Takes out of {@code files} those that it keeps; returns the answer, or null if the request has none. */
    private @Nullable ByteBuffer perform(VhostMessage message, List<Integer> files) {
        ByteBuffer payload = message.payload();
        switch (message.request()) {
            case GET_FEATURES -> {
                return VhostMessage.number(offered);
            }
            case SET_FEATURES -> setFeatures(payload.getLong(0));
            case GET_PROTOCOL_FEATURES -> {
                return VhostMessage.number(VhostProtocol.KNOWN);
            }
            case SET_PROTOCOL_FEATURES -> protocol = payload.getLong(0) & VhostProtocol.KNOWN;
            case SET_OWNER -> {}
            case RESET_OWNER -> {} // deprecated, and to be ignored
            case RESET_DEVICE -> reset();
            case SET_MEM_TABLE -> setMemoryTable(payload, files);
            case ADD_MEM_REG -> addRegion(payload, files);
            case REM_MEM_REG -> removeRegion(payload);
            case GET_MAX_MEM_SLOTS -> {
                return VhostMessage.number(VhostMemory.MOST_REGIONS);
            }
            case GET_QUEUE_NUM -> {
                return VhostMessage.number(queues.size() / 2);
            }
            case SET_VRING_NUM -> queue(payload).size(payload.getInt(4));
            case SET_VRING_BASE -> queue(payload).base(payload.getInt(4));
            case SET_VRING_ADDR ->
                queue(payload).addresses(payload.getLong(8), payload.getLong(24), payload.getLong(16));
            case GET_VRING_BASE -> {
                return VhostMessage.state(payload.getInt(0), queue(payload).stop());
            }
            case SET_VRING_KICK -> {
                kick(payload, files);
            }
            case SET_VRING_CALL -> setCall(payload, files);
            case SET_VRING_ERR -> setError(payload, files);
            case SET_VRING_ENABLE -> {
                queue(payload).enabled(payload.getInt(4) != 0);
                update();
            }
            case SET_STATUS -> setStatus((int) payload.getLong(0) & STATUS_BITS);
            case GET_STATUS -> {
                return VhostMessage.number(status);
            }
        }
        return null;
    }

    private boolean has(long protocolFeature) {
        return (protocol & protocolFeature) != 0;
    }

    private void setFeatures(long value) {
        if ((value & ~offered) != 0) {
            throw new DoorbellException(
                    "the front-end takes features that it was not offered: " + Feature.describe(value & ~offered));
        }
        if (!Feature.VIRTIO_F_VERSION_1.isIn(value)) {
            throw new DoorbellException("the front-end does without " + Feature.VIRTIO_F_VERSION_1
                    + ": it speaks legacy virtio, and a newer one is needed");
        }
        features = value;
        if ((value & VhostProtocol.PROTOCOL_FEATURES) == 0) {
            // Then there is no SET_VRING_ENABLE, and rings start enabled.
            queues.forEach(queue -> queue.enabled(true));
        }
        update();
    }

    private VhostBackendQueue queue(ByteBuffer payload) {
        return queue(payload.getInt(0));
    }

    private VhostBackendQueue queue(int index) {
        if (index < 0 || index >= queues.size()) {
            throw new DoorbellException("the front-end speaks of queue " + Integer.toUnsignedString(index)
                    + "; there are 0 to " + (queues.size() - 1)
                    + ": open the back-end with more, by ,queues=N in its name, or the front-end with fewer");
        }
        return queues.get(index);
    }

    private void kick(ByteBuffer payload, List<Integer> files) {
        VhostBackendQueue queue = queue(payload.getInt(0) & VhostProtocol.QUEUE_MASK);
        queue.kick(hasFile(payload, files) ? queue.adopt(files.removeFirst()) : null);
        update();
    }

    private void setCall(ByteBuffer payload, List<Integer> files) {
        VhostBackendQueue queue = queue(payload.getInt(0) & VhostProtocol.QUEUE_MASK);
        queue.call(hasFile(payload, files) ? queue.adopt(files.removeFirst()) : null);
    }

    private void setError(ByteBuffer payload, List<Integer> files) {
        VhostBackendQueue queue = queue(payload.getInt(0) & VhostProtocol.QUEUE_MASK);
        queue.error(hasFile(payload, files) ? queue.adopt(files.removeFirst()) : null);
    }

    private static boolean hasFile(ByteBuffer payload, List<Integer> files) {
        boolean announced = (payload.getLong(0) & VhostProtocol.NO_FILE) == 0;
        if (announced && files.size() != 1) {
            throw new DoorbellException("the front-end sent " + files.size() + " files where one belongs");
        }
        return announced;
    }

    private void setMemoryTable(ByteBuffer payload, List<Integer> files) {
        int count = payload.getInt(0);
        if (count < 0
                || count > VhostRegion.MAX_IN_TABLE
                || count != files.size()
                || payload.limit() < 8 + count * VhostRegion.BYTES) {
            throw new DoorbellException("the front-end sent a table of " + Integer.toUnsignedString(count)
                    + " memory regions with " + files.size() + " files in " + payload.limit() + " bytes");
        }
        VhostMemory previous = new VhostMemory(kernel);
        memory.moveTo(previous);
        try {
            payload.position(8);
            for (int i = 0; i < count; i++) {
                memory.add(VhostRegion.read(payload), files.get(i));
            }
            update(true);
        } finally {
            previous.close();
        }
    }

    private void addRegion(ByteBuffer payload, List<Integer> files) {
        if (files.size() != 1) {
            throw new DoorbellException("the front-end adds a memory region with " + files.size() + " files");
        }
        memory.add(VhostRegion.read(payload.position(8)), files.getFirst());
        update(true);
    }

    private void removeRegion(ByteBuffer payload) {
        memory.remove(VhostRegion.read(payload.position(8)));
        update(true);
    }

    private void setStatus(int value) {
        status = value;
        if (value == 0) {
            queues.forEach(VhostBackendQueue::stop);
        }
        update();
    }

    private void reset() {
        status = 0;
        queues.forEach(VhostBackendQueue::stop);
    }

    private void update() {
        update(false);
    }

    /**
     * Starts the rings of which all is known, and moves those that run over to the memory as it is now.
     *
     * @param moved whether it is other memory than before
     */
    private void update(boolean moved) {
        boolean allowed = Feature.VIRTIO_F_VERSION_1.isIn(features)
                && (!has(VhostProtocol.STATUS) || (status & DeviceStatus.DRIVER_OK) != 0);
        Features agreed = new Features(offered, features);
        for (VhostBackendQueue queue : queues) {
            queue.update(memory, agreed, allowed, moved);
        }
    }

    /** Forgets the front-end. */
    @Override
    public void close() {
        queues.forEach(queue -> queue.gate.shut());
        try {
            queues.forEach(VhostBackendQueue::forget);
            memory.close();
        } finally {
            openGates();
        }
    }
}
