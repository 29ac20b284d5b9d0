package io.doorbell.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import jnr.constants.platform.Errno;
import org.junit.jupiter.api.Test;

/** Linux's own event counters and poll, and requests to VFIO that are taken note of. */
class LossWatchTest {

    private static final int DEVICE = 1_000_000;
    private static final int PATIENCE = 20;

    /** What is to be signalled, by the index of the interrupt. */
    private final Map<Integer, Integer> signalled = new ConcurrentHashMap<>();

    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private boolean refuses;

    private Kernel kernel() {
        Kernel linux = Kernel.linux();
        return (Kernel) Proxy.newProxyInstance(
                Kernel.class.getClassLoader(), new Class<?>[] {Kernel.class}, (_, method, arguments) -> {
                    if (method.getName().equals("ioctl")) {
                        return setIrqs((MemorySegment) arguments[2]);
                    }
                    try {
                        return method.invoke(linux, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private int setIrqs(MemorySegment argument) {
        if (refuses) {
            throw new KernelException("ioctl", Errno.EINVAL, "");
        }
        signalled.put(argument.get(ValueLayout.JAVA_INT, 8), argument.get(ValueLayout.JAVA_INT, 20));
        return 0;
    }

    private LossWatch start(boolean reportsErrors) {
        return LossWatch.start(kernel(), DEVICE, "0000:01:00.0", reportsErrors, heard::add);
    }

    private void signal(int index) {
        MemorySegment one = MemorySegment.ofArray(new long[] {1});
        MemorySegment memory = Arena.ofAuto().allocate(8).copyFrom(one);
        Kernel.linux().write(signalled.get(index), memory);
    }

    @Test
    void saysOnceThatTheKernelWantsTheFunctionBack() throws InterruptedException {
        try (LossWatch _ = start(true)) {
            assertThat(signalled).containsOnlyKeys(IrqSet.REQUEST, IrqSet.ERROR);
            signal(IrqSet.REQUEST);
            assertThat(heard.poll(PATIENCE, TimeUnit.SECONDS)).contains("the kernel asks for it back");
        }
        assertThat(heard).isEmpty();
    }

    @Test
    void saysThatTheFunctionFailed() throws InterruptedException {
        try (LossWatch _ = start(true)) {
            signal(IrqSet.ERROR);
            assertThat(heard.poll(PATIENCE, TimeUnit.SECONDS)).contains("a PCI Express error that cannot be corrected");
        }
    }

    @Test
    void saysNothingOnceItIsClosed() {
        LossWatch watch = start(false);
        assertThat(signalled).containsOnlyKeys(IrqSet.REQUEST);
        watch.close();
        watch.close();
        assertThat(heard).isEmpty();
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().contains("0000:01:00.0"));
    }

    @Test
    void isClosedByWhoHears() throws InterruptedException {
        AtomicReference<LossWatch> watch = new AtomicReference<>();
        BlockingQueue<Thread> done = new LinkedBlockingQueue<>();
        watch.set(LossWatch.start(kernel(), DEVICE, "0000:01:00.0", true, _ -> {
            watch.get().close();
            done.add(Thread.currentThread());
        }));
        signal(IrqSet.REQUEST);
        Thread listener = done.poll(PATIENCE, TimeUnit.SECONDS);
        assertThat(listener).isNotNull();
        listener.join();
    }

    @Test
    void leavesNothingBehindWhereTheKernelRefuses() {
        refuses = true;
        int next = lowestFreeDescriptor();
        assertThatThrownBy(() -> start(true)).hasMessageContaining("VFIO_DEVICE_SET_IRQS failed: EINVAL");
        assertThat(lowestFreeDescriptor()).isEqualTo(next);
    }

    private static int lowestFreeDescriptor() {
        try (EventFd event = EventFd.create(Kernel.linux())) {
            return event.fd();
        }
    }
}
