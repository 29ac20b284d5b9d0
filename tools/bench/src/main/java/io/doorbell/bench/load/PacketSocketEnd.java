package io.doorbell.bench.load;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.doorbell.bench.env.VethPair;
import io.doorbell.bench.workload.Workload;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A raw socket (packet(7)) at each end of a {@link VethPair}, as Java reaches it without a library: the C library's
 * functions, called by {@code java.lang.foreign}.
 */
@SuppressWarnings("restricted") // this is what is measured
public final class PacketSocketEnd extends SocketEnd {

    private static final int BATCH = 32;
    private static final int BUFFER = 2048;

    private static final int AF_PACKET = 17;
    private static final int SOCK_RAW = 3;
    /** {@code ETH_P_ALL}, every protocol, in network byte order. */
    private static final int EVERYTHING = 0x0300;
    /** Of a socket that only sends. */
    private static final int NOTHING = 0;

    private static final int MSG_DONTWAIT = 0x40;
    private static final int EAGAIN = 11;

    /** Of {@code struct sockaddr_ll}, {@code struct iovec} and {@code struct mmsghdr} on x86-64, in bytes. */
    private static final int SOCKADDR_LL = 20;

    private static final int IOVEC = 16;
    private static final int MMSGHDR = 64;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO_TOO = Linker.Option.captureCallState("errno");
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle SOCKET =
            function("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle BIND =
            function("bind", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle CLOSE = function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle SENDMMSG =
            function("sendmmsg", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    private static final MethodHandle RECVMMSG =
            function("recvmmsg", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));

    /** Where the C library's errno is put after each call. */
    private final MemorySegment errno = Arena.global().allocate(Linker.Option.captureStateLayout());

    private static MethodHandle function(String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, ERRNO_TOO);
    }

    public static void main(String[] arguments) throws Throwable {
        new PacketSocketEnd().serve();
    }

    @Override
    String receive(String veth) throws Throwable {
        int socket = open(VethPair.far(veth), EVERYTHING);
        start(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment messages = messages(arena, BUFFER);
                long count = 0;
                while (goesOn()) {
                    count += receive(socket, messages);
                    passed(count);
                }
            } finally {
                close(socket);
            }
        });
        return veth;
    }

    @Override
    String send(String veth) throws Throwable {
        int socket = open(VethPair.near(veth), NOTHING);
        start(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment messages = messages(arena, Workload.LENGTH);
                long count = 0;
                while (goesOn()) {
                    count += send(socket, messages);
                    passed(count);
                }
            } finally {
                close(socket);
            }
        });
        return veth;
    }

    private int receive(int socket, MemorySegment messages) throws Throwable {
        int received = (int) RECVMMSG.invokeExact(errno, socket, messages, BATCH, MSG_DONTWAIT, MemorySegment.NULL);
        if (received < 0 && errno() != EAGAIN) {
            throw failure("recvmmsg");
        }
        return Math.max(received, 0);
    }

    private int send(int socket, MemorySegment messages) throws Throwable {
        int sent = (int) SENDMMSG.invokeExact(errno, socket, messages, BATCH, 0);
        if (sent < 0) {
            throw failure("sendmmsg");
        }
        return sent;
    }

    private int open(String end, int protocol) throws Throwable {
        Path index = VethPair.folder(end).resolve("ifindex");
        int socket = (int) SOCKET.invokeExact(errno, AF_PACKET, SOCK_RAW, protocol);
        if (socket < 0) {
            throw failure("socket");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(SOCKADDR_LL, Integer.BYTES);
            address.set(JAVA_SHORT, 0, (short) AF_PACKET);
            address.set(JAVA_SHORT, 2, (short) protocol);
            address.set(JAVA_INT, 4, Integer.parseInt(Files.readString(index).strip()));
            if ((int) BIND.invokeExact(errno, socket, address, SOCKADDR_LL) < 0) {
                throw failure("bind");
            }
        }
        return socket;
    }

    private void close(int socket) throws Throwable {
        if ((int) CLOSE.invokeExact(errno, socket) < 0) {
            throw failure("close");
        }
    }

    /** A batch of {@code struct mmsghdr}, each with a {@code struct iovec} for a frame in a buffer of its own. */
    private static MemorySegment messages(Arena arena, int length) {
        MemorySegment messages = arena.allocate((long) BATCH * MMSGHDR, Long.BYTES);
        MemorySegment vectors = arena.allocate((long) BATCH * IOVEC, Long.BYTES);
        MemorySegment buffers = arena.allocate((long) BATCH * BUFFER, Long.BYTES);
        MemorySegment frame = MemorySegment.ofArray(Workload.frame());
        for (long i = 0; i < BATCH; i++) {
            MemorySegment.copy(frame, 0, buffers, i * BUFFER, Workload.LENGTH);
            vectors.set(JAVA_LONG, i * IOVEC, buffers.address() + i * BUFFER);
            vectors.set(JAVA_LONG, i * IOVEC + 8, length);
            messages.set(JAVA_LONG, i * MMSGHDR + 16, vectors.address() + i * IOVEC);
            messages.set(JAVA_LONG, i * MMSGHDR + 24, 1);
        }
        return messages;
    }

    private int errno() {
        return (int) ERRNO.get(errno, 0L);
    }

    private IOException failure(String call) {
        return new IOException(call + " failed, errno " + errno());
    }
}
