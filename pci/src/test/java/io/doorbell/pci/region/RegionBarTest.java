package io.doorbell.pci.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Lifetime;
import io.doorbell.pci.Bar;
import io.doorbell.pci.region.Region.Area;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Over real memory of the real kernel: the width and the place of each access, compiled and interpreted. */
class RegionBarTest {

    @Test
    void accessesExactlyTheBytesThatItSays() {
        assertThat(accessEverything()).isEqualTo("as it should be");
    }

    @Test
    void accessesExactlyTheBytesThatItSaysInTheInterpreter() throws IOException, InterruptedException {
        Process java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xint",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        RegionBarTest.class.getName())
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(java.waitFor(60, TimeUnit.SECONDS))
                    .as("ended within a minute")
                    .isTrue();
            assertThat(new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip())
                    .isEqualTo("as it should be");
        } finally {
            java.destroyForcibly();
        }
    }

    /** A poller that a shutdown hook did not wait for gets an exception, and never a fault, which would end the JVM. */
    @Test
    void refusesAccessWhileAnotherThreadClosesIt() throws Exception {
        Kernel kernel = Kernel.linux();
        int fd = kernel.memfdCreate("bar", Kernel.MFD_CLOEXEC);
        kernel.ftruncate(fd, 8192);
        Region region = new Region(0, 8192, 0, List.of(new Area(0, 4096)));
        try (ExecutorService poller = Executors.newSingleThreadExecutor()) {
            for (int i = 0; i < 300; i++) {
                Lifetime lifetime = new Lifetime("0000:01:00.0");
                RegionBar bar = RegionBar.open(kernel, fd, region, lifetime);
                CountDownLatch polling = new CountDownLatch(1);
                Future<?> polls = poller.submit(() -> {
                    while (true) {
                        bar.write32(0x100, bar.read32(0x100) + 1);
                        bar.write32(0x1100, bar.read32(0x1100) + 1);
                        polling.countDown();
                    }
                });
                assertThat(polling.await(20, TimeUnit.SECONDS)).isTrue();
                lifetime.end();
                bar.close();
                bar.close();
                assertThatThrownBy(() -> polls.get(20, TimeUnit.SECONDS))
                        .cause()
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("0000:01:00.0 is closed; thread 'main' closed it");
            }
        } finally {
            kernel.close(fd);
        }
    }

    public static void main(String[] none) {
        System.out.println(accessEverything());
    }

    /** The first page is mapped, the second reached through the file: both are the same memory to the eye. */
    private static String accessEverything() {
        Kernel kernel = Kernel.linux();
        int fd = kernel.memfdCreate("bar", Kernel.MFD_CLOEXEC);
        kernel.ftruncate(fd, 8192);
        try (RegionBar bar =
                RegionBar.open(kernel, fd, new Region(0, 8192, 0, List.of(new Area(0, 4096))), new Lifetime("it"))) {
            for (int page = 0; page < 8192; page += 4096) {
                for (int lane = 0; lane < 4; lane++) {
                    String fault = accessAround(bar, page + 0x100, lane);
                    if (!fault.isEmpty()) {
                        return fault;
                    }
                }
            }
            return "as it should be";
        } finally {
            kernel.close(fd);
        }
    }

    /** Writes into a word of ones, between two others, and looks at all three. */
    private static String accessAround(Bar bar, long word, int lane) {
        for (int width = 1; width <= 4; width *= 2) {
            if (lane % width != 0) {
                continue;
            }
            for (long neighbour = word - 4; neighbour <= word + 4; neighbour += 4) {
                bar.write32(neighbour, -1);
            }
            int value = 0x81428324 >>> 8 * lane;
            long at = word + lane;
            int read;
            if (width == 1) {
                bar.write8(at, value);
                read = bar.read8(at);
            } else if (width == 2) {
                bar.write16(at, value);
                read = bar.read16(at);
            } else {
                bar.write32(at, value);
                read = bar.read32(at);
            }
            int mask = width == 4 ? -1 : (1 << 8 * width) - 1;
            int expected = ~(mask << 8 * lane) | (value & mask) << 8 * lane;
            if (read != (value & mask)
                    || bar.read32(word) != expected
                    || bar.read32(word - 4) != -1
                    || bar.read32(word + 4) != -1) {
                return String.format(
                        "width %d at 0x%x: wrote %x, read %x, around it %x %x %x",
                        width, at, value & mask, read, bar.read32(word - 4), bar.read32(word), bar.read32(word + 4));
            }
        }
        return "";
    }
}
