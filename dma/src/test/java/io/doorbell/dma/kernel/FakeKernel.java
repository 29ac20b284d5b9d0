package io.doorbell.dma.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import jnr.constants.platform.Errno;

/**
 * A kernel that does what a test scripts, and writes down what it was asked, in order: one line a call, which names a
 * descriptor by the path or label that it was opened with, and an ioctl as its manual does.
 *
 * <p>Unless told otherwise every call succeeds: a path opens, an ioctl returns 0, a mapping is zeroed memory. Memory is
 * real, so that code under test may touch it.
 */
public final class FakeKernel implements Kernel {

    private static final long PAGE_SIZE = 4096;
    private static final long HUGE_PAGE_SIZE = 2 << 20;

    /** What an ioctl does: fills the structure, which it is given as the address of, and returns the result. */
    public interface Ioctl {
        int call(int fd, long argument);
    }

    /** A file's content as {@code pread} and {@code pwrite} see it. */
    public interface Content {
        void read(long offset, MemorySegment target);

        void write(long offset, MemorySegment source);
    }

    private record NamedIoctl(String name, Ioctl ioctl) {}

    private final List<String> calls = new ArrayList<>();
    private final Map<Integer, String> open = new LinkedHashMap<>();
    private final Map<Integer, Integer> sealed = new HashMap<>();
    private final Map<Long, NamedIoctl> ioctls = new HashMap<>();
    private final Map<String, Content> contents = new HashMap<>();
    private final Map<String, Errno> failures = new HashMap<>();
    private final TreeMap<Long, MemorySegment> mapped = new TreeMap<>();
    private final Arena arena = Arena.ofShared();
    private int nextFd = 100;
    private long memlockLimit = UNLIMITED;
    private boolean root;

    public FakeKernel() {}

    /** Gives an ioctl its name and its behaviour. */
    public FakeKernel on(long request, String name, Ioctl ioctl) {
        ioctls.put(request, new NamedIoctl(name, ioctl));
        return this;
    }

    /** Gives what was opened under {@code label} its content. */
    public FakeKernel on(String label, Content content) {
        contents.put(label, content);
        return this;
    }

    /** Passes what is written to {@code label} on as text, as a file of sysfs takes it. */
    public FakeKernel onText(String label, Consumer<String> written) {
        return on(label, new Content() {
            @Override
            public void read(long offset, MemorySegment target) {
                throw new KernelException("pread", Errno.EACCES, label);
            }

            @Override
            public void write(long offset, MemorySegment source) {
                byte[] bytes = new byte[(int) source.byteSize()];
                MemorySegment.copy(source, 0, MemorySegment.ofArray(bytes), 0, bytes.length);
                written.accept(new String(bytes, StandardCharsets.UTF_8));
            }
        });
    }

    /** From now on the call fails: its line's beginning, such as {@code open /dev/vfio/7} or {@code mmap}. */
    public FakeKernel fail(String call, Errno errno) {
        failures.put(call, errno);
        return this;
    }

    /** From now on the call no longer fails. */
    public FakeKernel heal(String call) {
        failures.remove(call);
        return this;
    }

    public FakeKernel memlockLimit(long bytes) {
        memlockLimit = bytes;
        return this;
    }

    public FakeKernel root(boolean isRoot) {
        root = isRoot;
        return this;
    }

    /** A descriptor that an ioctl hands out, under a label of its own. */
    public int newFd(String label) {
        open.put(nextFd, label);
        return nextFd++;
    }

    public String label(int fd) {
        String label = open.get(fd);
        if (label == null) {
            throw new KernelException("fd " + fd, Errno.EBADF, "");
        }
        return label;
    }

    /** Every call so far. */
    public List<String> calls() {
        return List.copyOf(calls);
    }

    public void forgetCalls() {
        calls.clear();
    }

    /** Labels of the descriptors that are open: empty when nothing leaked. */
    public List<String> open() {
        return List.copyOf(open.values());
    }

    /** Bytes in mappings that are still there: 0 when nothing leaked. */
    public long mappedBytes() {
        return mapped.values().stream().mapToLong(MemorySegment::byteSize).sum();
    }

    private void called(String call) {
        calls.add(call);
        failures.forEach((beginning, errno) -> {
            if (call.equals(beginning) || call.startsWith(beginning + " ")) {
                throw new KernelException(
                        call.split(" ", 2)[0], errno, call.contains(" ") ? call.split(" ", 2)[1] : "");
            }
        });
    }

    @Override
    public synchronized int open(String path, int flags) {
        called("open " + path);
        return newFd(path);
    }

    @Override
    public synchronized void close(int fd) {
        called("close " + label(fd));
        open.remove(fd);
    }

    @Override
    public synchronized long mmap(long length, int protection, int flags, int fd, long offset) {
        called("mmap " + label(fd) + " offset=0x" + Long.toHexString(offset) + " length=0x" + Long.toHexString(length));
        // Hugepages are where addresses are multiples of their size.
        MemorySegment memory = arena.allocate(length, length % HUGE_PAGE_SIZE == 0 ? HUGE_PAGE_SIZE : PAGE_SIZE);
        mapped.put(memory.address(), memory);
        return memory.address();
    }

    @Override
    public synchronized void munmap(long address, long length) {
        called("munmap length=0x" + Long.toHexString(length));
        MemorySegment memory = mapped.remove(address);
        if (memory == null || memory.byteSize() != length) {
            throw new KernelException("munmap", Errno.EINVAL, "");
        }
    }

    @Override
    public int ioctl(int fd, long request, MemorySegment argument) {
        return ioctl(fd, request, argument.address());
    }

    @Override
    public synchronized int ioctl(int fd, long request, long argument) {
        NamedIoctl known = ioctls.get(request);
        String name = known == null ? "ioctl-0x" + Long.toHexString(request) : known.name;
        called(name + " " + label(fd));
        return known == null ? 0 : known.ioctl.call(fd, argument);
    }

    @Override
    public synchronized void pread(int fd, MemorySegment target, long offset) {
        called("pread " + at(fd, offset, target.byteSize()));
        content(fd).read(offset, target);
    }

    @Override
    public synchronized void pwrite(int fd, MemorySegment source, long offset) {
        called("pwrite " + at(fd, offset, source.byteSize()));
        content(fd).write(offset, source);
    }

    private String at(int fd, long offset, long length) {
        return label(fd) + " offset=0x" + Long.toHexString(offset) + " length=" + length;
    }

    private Content content(int fd) {
        Content content = contents.get(label(fd));
        if (content == null) {
            throw new KernelException("pread/pwrite", Errno.EINVAL, label(fd));
        }
        return content;
    }

    @Override
    public synchronized int memfdCreate(String name, int flags) {
        called((flags & MFD_HUGETLB) != 0 ? "memfd_create hugepages" : "memfd_create");
        return newFd("memfd");
    }

    @Override
    public synchronized void ftruncate(int fd, long length) {
        called("ftruncate " + label(fd) + " length=" + length);
    }

    @Override
    public synchronized void addSeals(int fd, int seals) {
        called("seal " + label(fd));
        sealed.merge(fd, seals, (before, more) -> before | more);
    }

    @Override
    public synchronized int seals(int fd) {
        called("seals " + label(fd));
        return sealed.getOrDefault(fd, 0);
    }

    @Override
    public synchronized long fileSize(int fd) {
        called("fstat " + label(fd));
        return 0;
    }

    @Override
    public synchronized long read(int fd, MemorySegment target) {
        called("read " + label(fd));
        return target.byteSize();
    }

    @Override
    public synchronized long readNow(int fd, MemorySegment target) {
        return read(fd, target);
    }

    @Override
    public synchronized long write(int fd, MemorySegment source) {
        called("write " + label(fd));
        return source.byteSize();
    }

    @Override
    public synchronized void setNonBlocking(int fd) {
        called("fcntl " + label(fd));
    }

    @Override
    public synchronized int eventfd(int initial, int flags) {
        called("eventfd");
        return newFd("eventfd");
    }

    @Override
    public synchronized int socket(int domain, int type, int protocol) {
        called("socket");
        return newFd("socket");
    }

    @Override
    public synchronized void connect(int fd, MemorySegment address) {
        called("connect " + label(fd));
    }

    @Override
    public synchronized void bind(int fd, MemorySegment address) {
        called("bind " + label(fd));
    }

    @Override
    public synchronized void listen(int fd, int backlog) {
        called("listen " + label(fd));
    }

    @Override
    public synchronized void shutdown(int fd, int how) {
        called("shutdown " + label(fd));
    }

    @Override
    public synchronized int accept(int fd, int flags) {
        called("accept " + label(fd));
        return newFd("connection");
    }

    /** Takes the whole message and keeps none of it. */
    @Override
    public synchronized long sendmsg(int fd, MemorySegment header, int flags) {
        called("sendmsg " + label(fd));
        return Integer.MAX_VALUE;
    }

    /** The end of the stream. */
    @Override
    public synchronized long recvmsg(int fd, MemorySegment header, int flags) {
        called("recvmsg " + label(fd));
        return 0;
    }

    /** Nothing happens, and no time passes. */
    @Override
    public int poll(MemorySegment fds, int timeoutMillis) {
        return 0;
    }

    @Override
    public long memlockLimit() {
        return memlockLimit;
    }

    @Override
    public long pageSize() {
        return PAGE_SIZE;
    }

    @Override
    public boolean isRoot() {
        return root;
    }
}
