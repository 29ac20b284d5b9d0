package io.doorbell.dma;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HugePagesTest {

    @Test
    void readsThePool(@TempDir Path sysfs) throws IOException {
        Files.writeString(sysfs.resolve("nr_hugepages"), "64\n");
        Files.writeString(sysfs.resolve("free_hugepages"), "60\n");
        assertThat(HugePages.read(sysfs)).isEqualTo(new HugePages(64, 60));
    }

    @Test
    void findsAnEmptyPoolInAKernelWithoutHugepages(@TempDir Path sysfs) {
        assertThat(HugePages.read(sysfs.resolve("hugepages-2048kB"))).isEqualTo(new HugePages(0, 0));
    }
}
