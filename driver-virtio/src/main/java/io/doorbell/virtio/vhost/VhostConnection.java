package io.doorbell.virtio.vhost;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.dma.kernel.UnixSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jnr.constants.platform.Errno;

/**
 * Either end of a vhost-user socket: messages in, messages out, and no more faith in the peer than it deserves. One
 * thread at a time, except for the waits.
 */
public final class VhostConnection implements AutoCloseable {

    /** How long the peer may take to read a message, to send the rest of one, or to answer. */
    public static final Duration PATIENCE = Duration.ofSeconds(10);

    /** The longest message: a table of memory regions. */
    private static final int LONGEST = 1024;

    private final Kernel kernel;
    private final String peer;
    private final UnixSocket socket;
    private final int patienceMillis;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(LONGEST);
    /** Whether this side has hung up, after which the socket says of the peer what is true of both. */
    private volatile boolean over;

    /**
     * Takes over {@code socket}.
     *
     * @param peer who is at the other end, for messages
     */
    public VhostConnection(Kernel kernel, String peer, UnixSocket socket) {
        this(kernel, peer, socket, PATIENCE);
    }

    /** As the other one, with {@code patience} in place of {@link #PATIENCE}. */
    public VhostConnection(Kernel kernel, String peer, UnixSocket socket, Duration patience) {
        this.kernel = kernel;
        this.peer = peer;
        this.socket = socket;
        this.patienceMillis = (int) patience.toMillis();
    }

    /** Ends the connection for whoever waits for the peer, at any time: it finds that the peer is gone. Any thread. */
    public void hangUp() {
        over = true;
        socket.hangUp();
    }

    /**
     * Waits until the peer is gone, and says so; false when there was an event first, or the time is over.
     *
     * @param timeoutMillis −1 for any time
     */
    public boolean awaitHangUp(EventFd early, int timeoutMillis) {
        return (socket.await(0, timeoutMillis, early) & (Kernel.POLLHUP | Kernel.POLLERR)) != 0;
    }

    /** Whether it is known that the peer has closed its end, by itself or by its death; after {@link #hangUp} it is not. */
    public boolean hasHungUp() {
        return (socket.await(0, 0) & Kernel.POLLHUP) != 0 && !over;
    }

    /** Tells the peer that this is the end; whether it {@link #hasHungUp} can be seen still. */
    public void endSending() {
        socket.endSending();
    }

    public void send(VhostRequest request, int flags, ByteBuffer payload, List<Integer> files) {
        ByteBuffer whole = VhostMessage.bytes(VhostMessage.HEADER + payload.limit());
        whole.putInt(request.number()).putInt(VhostMessage.VERSION | flags).putInt(payload.limit());
        whole.put(payload.duplicate().rewind());
        MemorySegment bytes = buffer.asSlice(0, whole.capacity());
        bytes.copyFrom(MemorySegment.ofBuffer(whole.flip()));
        try {
            socket.send(bytes, files, patienceMillis);
        } catch (KernelException e) {
            throw explained(e);
        }
    }

    /** Sends a request and waits for its answer's payload, which must have {@code bytes} bytes. */
    public ByteBuffer ask(VhostRequest request, int flags, ByteBuffer payload, List<Integer> files, int bytes) {
        send(request, flags, payload, files);
        VhostMessage answer = receive(patienceMillis)
                .orElseThrow(() -> new VhostTimeout(
                        peer + " did not answer " + request + " within " + patienceMillis / 1000 + " s"));
        closeFiles(answer.files());
        if (answer.request() != request
                || (answer.flags() & VhostMessage.REPLY) == 0
                || answer.payload().limit() != bytes) {
            throw new DoorbellException(peer + " answered " + request + " with " + describe(answer) + " instead of "
                    + bytes + " bytes: it does not speak vhost-user as specified");
        }
        return answer.payload();
    }

    /**
     * The next message.
     *
     * @return empty when none began in time
     * @throws VhostDisconnected when the peer is gone
     * @throws DoorbellException when what came is no message of the protocol
     */
    public Optional<VhostMessage> receive(int timeoutMillis) {
        if (socket.await(Kernel.POLLIN, timeoutMillis) == 0) {
            return Optional.empty();
        }
        long deadline = System.nanoTime() + patienceMillis * 1_000_000L;
        List<Integer> files = new ArrayList<>();
        VhostMessage message = null;
        try {
            message = receive(files, deadline);
        } finally {
            if (message == null) {
                closeFiles(files);
            }
        }
        return Optional.of(message);
    }

    private VhostMessage receive(List<Integer> files, long deadline) {
        fill(0, VhostMessage.HEADER, files, deadline);
        int number = buffer.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
        int flags = buffer.get(ValueLayout.JAVA_INT_UNALIGNED, 4);
        int size = buffer.get(ValueLayout.JAVA_INT_UNALIGNED, 8);
        if ((flags & VhostMessage.VERSION_MASK) != VhostMessage.VERSION) {
            throw garbage(String.format("flags 0x%x instead of protocol version 1", flags));
        }
        VhostRequest request = VhostRequest.of(number)
                .orElseThrow(() -> garbage(
                        "request " + Integer.toUnsignedString(number) + ", which does not exist or was not agreed on"));
        boolean isReply = (flags & VhostMessage.REPLY) != 0;
        if (size < 0 || size > LONGEST - VhostMessage.HEADER || (!isReply && !request.fits(size))) {
            throw garbage(request + " with a payload of " + Integer.toUnsignedString(size) + " bytes");
        }
        fill(VhostMessage.HEADER, size, files, deadline);
        ByteBuffer payload = VhostMessage.bytes(size);
        MemorySegment.ofBuffer(payload).copyFrom(buffer.asSlice(VhostMessage.HEADER, size));
        return new VhostMessage(request, flags, payload, List.copyOf(files));
    }

    /** Fills a part of the buffer; {@code deadline} is the whole message's, in the time of {@link System#nanoTime}. */
    private void fill(int from, int bytes, List<Integer> files, long deadline) {
        int filled = 0;
        while (filled < bytes) {
            int left = (int) Math.max(0, (deadline - System.nanoTime()) / 1_000_000);
            Optional<UnixSocket.Received> some;
            try {
                some = socket.receive(buffer.asSlice(from + filled, bytes - filled), left);
            } catch (KernelException e) {
                throw explained(e);
            }
            if (some.isEmpty() && left > 0) {
                continue; // disturbed
            }
            UnixSocket.Received received = some.orElseThrow(
                    () -> garbage("half a message and not the rest of it within " + patienceMillis + " ms"));
            files.addAll(received.files());
            if (received.bytes() == 0) {
                throw new VhostDisconnected(peer + " has closed the connection");
            }
            if (files.size() > UnixSocket.MAX_FILES) {
                throw garbage("more than " + UnixSocket.MAX_FILES + " files with one message");
            }
            filled += received.bytes();
        }
    }

    private RuntimeException explained(KernelException e) {
        if (e.errno() == Errno.EPIPE || e.errno() == Errno.ECONNRESET) {
            return new VhostDisconnected(peer + " has closed the connection");
        }
        return e;
    }

    private DoorbellException garbage(String what) {
        return new DoorbellException(peer + " sent " + what + ": it does not speak vhost-user");
    }

    private static String describe(VhostMessage message) {
        return String.format(
                "%s, flags 0x%x, %d bytes",
                message.request(), message.flags(), message.payload().limit());
    }

    public void closeFiles(List<Integer> files) {
        files.forEach(kernel::close);
    }

    @Override
    public void close() {
        socket.close();
        arena.close();
    }
}
