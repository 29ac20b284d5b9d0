package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Mapping;
import io.doorbell.virtio.spec.LittleEndian;
import io.doorbell.virtio.vhost.frontend.VhostUserNicTest;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class MemoryFaultsTest {

    private static final int ROUNDS = 20;
    private static final int POLLS = 200_000;
    private static final int BYTES = 4096;

    private int caught;
    private int strays;

    @Test
    void areThrownInsideThePollThatMetThemInCompiledCodeToo() throws InterruptedException {
        long sum = 0;
        for (int round = 0; round < ROUNDS; round++) {
            sum += pollMemoryThatGoesAway();
        }
        assertThat(strays).as("of " + ROUNDS + " (%d)", sum).isZero();
        assertThat(caught).isEqualTo(ROUNDS);
    }

    private long pollMemoryThatGoesAway() throws InterruptedException {
        Kernel kernel = Kernel.linux();
        int fd = kernel.memfdCreate("shrinking", Kernel.MFD_CLOEXEC);
        kernel.ftruncate(fd, BYTES);
        long sum = 0;
        try (Mapping mapping = Mapping.shared(kernel, BYTES, 0, fd, 0)) {
            for (int poll = 0; poll < POLLS; poll++) {
                sum += poll(mapping.segment(), poll);
            }
            Thread thief = Thread.ofPlatform().start(() -> kernel.ftruncate(fd, 0));
            int before = caught;
            long deadline = System.nanoTime() + VhostUserNicTest.SOON.toNanos();
            try {
                while (caught == before && System.nanoTime() < deadline) {
                    for (int poll = 0; poll < 1000 && caught == before; poll++) {
                        sum += poll(mapping.segment(), poll);
                    }
                }
            } catch (InternalError e) {
                strays++;
            }
            thief.join();
        } finally {
            kernel.close(fd);
        }
        return sum;
    }

    private long poll(MemorySegment memory, int index) {
        try {
            long value = (long) LittleEndian.LONG.getAcquire(memory, index % 8 * 8L);
            MemoryFaults.settle();
            return value;
        } catch (InternalError e) {
            caught++;
            return 0;
        }
    }
}
