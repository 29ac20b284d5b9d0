package io.doorbell.pci.host;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import jnr.constants.platform.Errno;

/**
 * Questions to the kernel about its network, each answered by a list (rtnetlink(7)). Unlike the files of procfs it tells
 * of all routing tables.
 */
public final class Netlink {

    public static final int RTM_NEWLINK = 16;
    public static final int RTM_NEWADDR = 20;
    public static final int RTM_NEWROUTE = 24;

    /** The question that is answered by messages of the type two below. */
    private static final int GET = 2;

    private static final int NETLINK_ROUTE = 0;

    private static final int NLMSG_ERROR = 2;
    private static final int NLMSG_DONE = 3;

    private static final int NLM_F_REQUEST = 1;
    private static final int NLM_F_DUMP = 0x300;
    /** The list changed while it was told, and may lack something. */
    private static final int NLM_F_DUMP_INTR = 0x10;

    /** {@code struct nlmsghdr}: length (4), type (2), flags (2), sequence (4), port (4). */
    private static final int HEADER = 16;
    /** The kernel puts at most 32 KiB into one answer. */
    private static final int ANSWER = 64 << 10;

    private static final int TRIES = 5;
    private static final long PATIENCE_SECONDS = 10;

    /**
     * An item of an answer.
     *
     * @param head the structure of a fixed size that it begins with
     * @param body the attributes that follow
     */
    public record Message(ByteBuffer head, ByteBuffer body) {

        /** The first attribute of this type; empty where there is none. */
        public Optional<ByteBuffer> attribute(int type) {
            int at = 0;
            while (at + 4 <= body.limit()) {
                // struct rtattr: length (2), type (2).
                int length = Short.toUnsignedInt(body.getShort(at));
                if (length < 4 || at + length > body.limit()) {
                    break;
                }
                if (Short.toUnsignedInt(body.getShort(at + 2)) == type) {
                    return Optional.of(slice(body, at + 4, length - 4));
                }
                at += length + 3 & ~3;
            }
            return Optional.empty();
        }
    }

    private Netlink() {}

    /**
     * All items of a kind.
     *
     * @param kind {@link #RTM_NEWROUTE} or another of the constants here
     * @param headSize bytes in the structure that each begins with
     * @throws DoorbellException when the kernel does not tell; the message says why
     */
    public static List<Message> list(Kernel kernel, int kind, int headSize) {
        try {
            for (int i = 0; i < TRIES; i++) {
                Optional<List<Message>> whole = ask(kernel, kind, headSize);
                if (whole.isPresent()) {
                    return whole.get();
                }
            }
        } catch (KernelException e) {
            throw new DoorbellException("the kernel does not tell of its network: " + e.getMessage(), e);
        } catch (IndexOutOfBoundsException e) {
            throw new DoorbellException("the kernel's answer about its network makes no sense: " + e.getMessage(), e);
        }
        throw new DoorbellException(
                "the machine's network changes all the time: " + TRIES + " times it did while it was looked at");
    }

    /** Empty when the list changed while it was told. */
    private static Optional<List<Message>> ask(Kernel kernel, int kind, int headSize) {
        int socket = kernel.socket(
                Kernel.AF_NETLINK, Kernel.SOCK_RAW | Kernel.SOCK_CLOEXEC | Kernel.SOCK_NONBLOCK, NETLINK_ROUTE);
        try (Arena arena = Arena.ofConfined()) {
            // A structure of zeros asks for everything.
            MemorySegment question = arena.allocate(HEADER + headSize, 8);
            question.set(ValueLayout.JAVA_INT, 0, HEADER + headSize);
            question.set(ValueLayout.JAVA_SHORT, 4, (short) (kind + GET));
            question.set(ValueLayout.JAVA_SHORT, 6, (short) (NLM_F_REQUEST | NLM_F_DUMP));
            kernel.write(socket, question);
            return answer(kernel, socket, arena.allocate(ANSWER, 8), headSize);
        } finally {
            kernel.close(socket);
        }
    }

    private static Optional<List<Message>> answer(Kernel kernel, int socket, MemorySegment buffer, int headSize) {
        List<Message> messages = new ArrayList<>();
        boolean changed = false;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (true) {
            int length = read(kernel, socket, buffer, deadline);
            if (length == 0) {
                throw new KernelException("read", Errno.EPIPE, "netlink ended its answer in the middle");
            }
            byte[] bytes = buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
            ByteBuffer part = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
            for (int at = 0; at < length; ) {
                int size = part.getInt(at);
                int type = part.getShort(at + 4);
                changed |= (part.getShort(at + 6) & NLM_F_DUMP_INTR) != 0;
                if (size < HEADER || size > length - at) {
                    throw new IndexOutOfBoundsException(
                            "a message of " + size + " bytes where " + (length - at) + " are");
                }
                if (type == NLMSG_ERROR || type == NLMSG_DONE) {
                    requireSuccess(part, at, size);
                    return changed ? Optional.empty() : Optional.of(messages);
                }
                messages.add(new Message(
                        slice(part, at + HEADER, headSize),
                        slice(part, at + HEADER + headSize, size - HEADER - headSize)));
                at += size + 3 & ~3;
            }
        }
    }

    /** The end of a list, or what comes instead of one, carries a negative errno, or 0. */
    private static void requireSuccess(ByteBuffer part, int at, int size) {
        int error = size >= HEADER + Integer.BYTES ? -part.getInt(at + HEADER) : 0;
        if (error != 0) {
            throw new KernelException("netlink", error, "");
        }
    }

    private static int read(Kernel kernel, int socket, MemorySegment buffer, long deadline) {
        while (System.nanoTime() - deadline < 0) {
            try {
                return (int) kernel.read(socket, buffer);
            } catch (KernelException e) {
                // The kernel has the answer ready when it has taken the question; this is for what may come in between.
                if (e.errno() != Errno.EINTR && e.errno() != Errno.EAGAIN) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
        throw new KernelException(
                "read", Errno.ETIMEDOUT, "netlink did not end its answer within " + PATIENCE_SECONDS + " s");
    }

    private static ByteBuffer slice(ByteBuffer of, int at, int length) {
        return of.slice(at, length).order(ByteOrder.nativeOrder());
    }
}
