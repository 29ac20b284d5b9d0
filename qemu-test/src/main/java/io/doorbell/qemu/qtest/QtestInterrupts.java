package io.doorbell.qemu.qtest;

import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.pci.Bar;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

/**
 * MSI-X without an interrupt controller: each vector is aimed at a word of memory (PCI Local Bus Specification 3.0,
 * 6.8.2), and a thread that looks at the words signals the event counters, as the kernel would.
 */
final class QtestInterrupts implements AutoCloseable {

    private static final VarHandle WORD = ValueLayout.JAVA_INT.varHandle();
    private static final int ENTRY = 16;
    private static final int RAISED = 1;
    private static final long PAUSE_NANOS = 20_000;

    private final DmaRegion words;
    private final List<EventFd> events = new ArrayList<>();
    private final Thread controller;
    private volatile boolean closed;

    QtestInterrupts(DmaSpace dma, int count) {
        this.words = dma.allocate((long) count * Integer.BYTES);
        for (int i = 0; i < count; i++) {
            events.add(EventFd.create(Kernel.linux()));
        }
        this.controller = Thread.ofPlatform().daemon().name("interrupts").start(this::run);
    }

    List<EventFd> events() {
        return List.copyOf(events);
    }

    /** Writes the vectors' table. */
    void program(IntFunction<Bar> bars, int tableRegister) {
        Bar bar = bars.apply(tableRegister & 7);
        for (int i = 0; i < events.size(); i++) {
            long entry = (tableRegister & ~7) + (long) i * ENTRY;
            long address = words.deviceAddress() + (long) i * Integer.BYTES;
            bar.write32(entry, (int) address);
            bar.write32(entry + 4, (int) (address >>> 32));
            bar.write32(entry + 8, RAISED);
            bar.write32(entry + 12, 0); // not masked
        }
    }

    private void run() {
        while (!closed) {
            for (int i = 0; i < events.size(); i++) {
                if ((int) WORD.getAndSet(words.segment(), (long) i * Integer.BYTES, 0) != 0) {
                    events.get(i).signal();
                }
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** The memory goes with the space that it came from. */
    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        while (controller.isAlive()) {
            try {
                controller.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        events.forEach(EventFd::close);
    }
}
