package io.doorbell.virtio.vhost.backend;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Mapping;
import io.doorbell.dma.kernel.UnixSocket;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.vhost.VhostConnection;
import io.doorbell.virtio.vhost.VhostMessage;
import io.doorbell.virtio.vhost.VhostProtocol;
import io.doorbell.virtio.vhost.VhostRegion;
import io.doorbell.virtio.vhost.VhostRequest;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A front-end that says what a test has it say, message by message, and whose rings and memory are written by hand. Of its
 * memory, the first region has the rings and the second one the frames.
 */
final class RawFrontEnd implements AutoCloseable {

    static final int SIZE = 8;

    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;
    /** That a packed descriptor is available, in the first round. */
    static final int PACKED_AVAILABLE = 0x80;

    /** The queues of a pair, as a front-end numbers them. */
    static final int RECEIVE = 0;

    static final int TRANSMIT = 1;

    static final int REGION = 1 << 20;
    static final long RINGS = 1L << 30;
    static final long FRAMES = RINGS + REGION;

    private static final int AVAILABLE = 256;
    private static final int USED = 512;
    /** From one queue's rings to the next one's. */
    private static final int RINGS_OF_A_QUEUE = 1024;

    private static final long PAYLOAD_AFTER_PADDING = 8 + VhostRegion.BYTES;

    final Kernel kernel = Kernel.linux();
    final VhostConnection connection;
    final int ringFile;
    final int frameFile;
    final VhostRegion ringRegion = new VhostRegion(RINGS, REGION, RINGS, 0);
    final VhostRegion frameRegion = new VhostRegion(FRAMES, REGION, FRAMES, 0);
    private final Mapping ringMapping;
    private final Mapping frameMapping;
    final MemorySegment rings;
    final MemorySegment frames;
    final boolean packed;
    private int made;

    /** Connects, agrees on VERSION_1 and these features, and shares its memory. No ring is set up. */
    RawFrontEnd(String path, Feature... features) {
        connection = new VhostConnection(kernel, "the back-end", UnixSocket.connect(kernel, path));
        ringFile = file();
        frameFile = file();
        ringMapping = Mapping.shared(kernel, REGION, 0, ringFile, 0);
        frameMapping = Mapping.shared(kernel, REGION, 0, frameFile, 0);
        rings = ringMapping.segment();
        frames = frameMapping.segment();
        long all = Feature.VIRTIO_F_VERSION_1.mask();
        for (Feature feature : features) {
            all |= feature.mask();
        }
        packed = Feature.VIRTIO_F_RING_PACKED.isIn(all);
        send(VhostRequest.SET_FEATURES, VhostMessage.number(all));
        share(ringRegion, ringFile);
        share(frameRegion, frameFile);
    }

    private int file() {
        int fd = kernel.memfdCreate("raw-front-end", Kernel.MFD_CLOEXEC);
        kernel.ftruncate(fd, REGION);
        return fd;
    }

    void send(VhostRequest request, ByteBuffer payload, Integer... files) {
        connection.send(request, 0, payload, List.of(files));
    }

    static ByteBuffer payload(VhostRegion region) {
        ByteBuffer payload = VhostMessage.bytes((int) PAYLOAD_AFTER_PADDING).putLong(0);
        region.write(payload);
        return payload;
    }

    void share(VhostRegion region, int file) {
        send(VhostRequest.ADD_MEM_REG, payload(region), file);
    }

    void withdraw(VhostRegion region) {
        send(VhostRequest.REM_MEM_REG, payload(region));
    }

    /** Says all of a queue but SET_VRING_KICK. */
    void describeQueue(int queue) {
        long start = RINGS + (long) queue * RINGS_OF_A_QUEUE;
        send(VhostRequest.SET_VRING_NUM, VhostMessage.state(queue, SIZE));
        send(VhostRequest.SET_VRING_BASE, VhostMessage.state(queue, packed ? VhostProtocol.PACKED_START : 0));
        send(
                VhostRequest.SET_VRING_ADDR,
                VhostMessage.bytes(40)
                        .putInt(queue)
                        .putInt(0)
                        .putLong(start)
                        .putLong(start + USED)
                        .putLong(start + AVAILABLE));
    }

    void kick(int queue) {
        send(VhostRequest.SET_VRING_KICK, VhostMessage.number(queue | VhostProtocol.NO_FILE));
    }

    /** Starts both queues, and returns when they run. */
    RawFrontEnd start() {
        for (int queue : new int[] {RECEIVE, TRANSMIT}) {
            describeQueue(queue);
            kick(queue);
        }
        sync();
        return this;
    }

    /** Returns when the back-end has done what it was asked. */
    void sync() {
        assertThat(connection.ask(VhostRequest.GET_FEATURES, 0, VhostMessage.empty(), List.of(), Long.BYTES))
                .isNotNull();
    }

    private static long at(int queue, long offset) {
        return (long) queue * RINGS_OF_A_QUEUE + offset;
    }

    /** Writes a descriptor; {@code last} is what comes last of the split layout, and in the packed one before the flags. */
    static void describe(
            MemorySegment memory, long offset, long address, int length, boolean packed, int flags, int last) {
        memory.set(JAVA_LONG, offset, address);
        memory.set(JAVA_INT, offset + 8, length);
        memory.set(JAVA_SHORT, offset + 12, (short) (packed ? last : flags));
        memory.set(JAVA_SHORT, offset + 14, (short) (packed ? flags : last));
    }

    void describe(int queue, int index, long address, int length, int flags, int last) {
        describe(rings, at(queue, 16L * index), address, length, packed, flags, last);
    }

    /** For the split layout. */
    void makeAvailable(int queue, int head) {
        int index = rings.get(JAVA_SHORT, at(queue, AVAILABLE + 2));
        rings.set(JAVA_SHORT, at(queue, AVAILABLE + 4 + 2L * (index & (SIZE - 1))), (short) head);
        rings.set(JAVA_SHORT, at(queue, AVAILABLE + 2), (short) (index + 1));
    }

    /** Sends a frame of 60 bytes, all of which are {@code mark}, by the next descriptor. */
    void sendFrame(int mark) {
        int index = made & (SIZE - 1);
        frames.asSlice(0, 12).fill((byte) 0);
        frames.asSlice(12, 60).fill((byte) mark);
        int round = (made / SIZE & 1) == 0 ? PACKED_AVAILABLE : 0x8000;
        describe(TRANSMIT, index, FRAMES, 72, packed ? round : 0, index);
        if (!packed) {
            makeAvailable(TRANSMIT, index);
        }
        made++;
    }

    /** The used index of the split layout. */
    int used(int queue) {
        return rings.get(JAVA_SHORT, at(queue, USED + 2));
    }

    /** Flags of the packed layout. */
    int flags(int queue, int index) {
        return Short.toUnsignedInt(rings.get(JAVA_SHORT, at(queue, 16L * index + 14)));
    }

    @Override
    public void close() {
        connection.close();
        ringMapping.close();
        frameMapping.close();
        kernel.close(ringFile);
        kernel.close(frameFile);
    }
}
