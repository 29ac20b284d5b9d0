package io.doorbell.qemu.qtest;

import io.doorbell.DoorbellException;
import io.doorbell.qemu.QemuException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;

/**
 * The RAM of a machine without a guest: a file that QEMU and this JVM both map, so that a device's DMA address is the
 * offset in the file. Thread-safe.
 */
final class QtestMemory implements AutoCloseable {

    static final long PAGE = 4096;

    /** Below lie the PC's holes for video memory and BIOS, which are not backed by the file. */
    private static final long FIRST = 1L << 20;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment ram;
    private final TreeMap<Long, Long> taken = new TreeMap<>();

    private QtestMemory(FileChannel file, long size) throws IOException {
        this.ram = file.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
    }

    static QtestMemory create(Path path, long size) {
        try (FileChannel file = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return new QtestMemory(file, size);
        } catch (IOException e) {
            throw new QemuException("cannot map " + size + " bytes of " + path + " as RAM: " + e.getMessage(), e);
        }
    }

    /** All of it; index 0 is physical address 0. */
    MemorySegment ram() {
        return ram;
    }

    /** Takes zeroed whole pages, at the lowest address that is free. Give them back with {@link #free}. */
    synchronized MemorySegment allocate(long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("bytes must be positive, not " + bytes);
        }
        long size = Math.addExact(bytes, PAGE - 1) & -PAGE;
        long candidate = FIRST;
        for (Map.Entry<Long, Long> block : taken.entrySet()) {
            if (candidate + size <= block.getKey()) {
                break;
            }
            candidate = block.getKey() + block.getValue();
        }
        if (size > ram.byteSize() - candidate) {
            throw new DoorbellException("the machine has " + ram.byteSize() + " bytes of RAM, of which no " + size
                    + " in a row are free: start it with more");
        }
        taken.put(candidate, size);
        return ram.asSlice(candidate, size).fill((byte) 0);
    }

    synchronized void free(MemorySegment memory) {
        if (taken.remove(addressOf(memory)) == null) {
            throw new IllegalStateException("not allocated: " + memory);
        }
    }

    boolean contains(MemorySegment memory) {
        long offset = addressOf(memory);
        return offset >= 0 && offset <= ram.byteSize() - memory.byteSize();
    }

    /** Where a device finds this part of the RAM. */
    long addressOf(MemorySegment memory) {
        return memory.address() - ram.address();
    }

    @Override
    public void close() {
        arena.close();
    }
}
