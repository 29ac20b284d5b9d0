package io.doorbell.pci.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.FakeHost;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Over ordinary files in the places of sysfs's. */
class SysfsTest {

    private static final PciAddress ADDRESS = PciAddress.parse("0000:00:04.0");
    private static final String DIRECTORY = "sys/bus/pci/devices/0000:00:04.0/";

    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void plugIn() throws IOException {
        host = new FakeHost(root)
                .function(ADDRESS.toString(), "1af4", "1000", "020000")
                .file(DIRECTORY + "resource", """
                        0x000000000000c000 0x000000000000c01f 0x0000000000040101
                        0x00000000febf1000 0x00000000febf1fff 0x0000000000040200""");
        byte[] config = new byte[256];
        config[0] = (byte) 0xf4;
        config[1] = 0x1a;
        config[3] = 0x10;
        config[ConfigSpace.COMMAND] = ConfigSpace.COMMAND_BUS_MASTER;
        write("config", config);
        write("resource0", new byte[32]);
        write("resource1", new byte[4096]);
    }

    private void write(String name, byte[] bytes) throws IOException {
        Files.write(root.resolve(DIRECTORY + name), bytes);
    }

    private byte[] read(String name) throws IOException {
        return Files.readAllBytes(root.resolve(DIRECTORY + name));
    }

    private PciFunction open() {
        return Sysfs.open(host.bus(), Kernel.linux(), ADDRESS);
    }

    @Test
    void reachesPortsAndMemoryThroughTheFilesOfTheirBars() throws IOException {
        try (PciFunction function = open()) {
            assertThat(function.id()).isEqualTo(new PciId(0x1af4, 0x1000));
            assertThat(function.config().id()).isEqualTo(function.id());
            function.bar(0).write16(14, 0xbeef);
            assertThat(function.bar(0).read32(12)).isEqualTo(0xbeef_0000);
            function.bar(1).write32(0x10, 0x12345678);
            assertThat(function.bar(1).read8(0x13)).isEqualTo(0x12);
            assertThat(function.bar(0).size()).isEqualTo(32);
            assertThatThrownBy(() -> function.bar(2)).hasMessage("0000:00:04.0 has no BAR 2");
        }
        assertThat(read("resource0")).startsWith(new byte[14]).containsSequence((byte) 0xef, (byte) 0xbe);
        assertThat(read("resource1")[0x10]).isEqualTo((byte) 0x78);
    }

    @Test
    void letsTheFunctionAnswerAndKeepsItOffTheBus() throws IOException {
        int answers = ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY;
        try (PciFunction function = open()) {
            assertThat(read("config")[ConfigSpace.COMMAND]).isEqualTo((byte) answers);
            function.config().busMaster(true);
        }
        assertThat(read("config")[ConfigSpace.COMMAND]).isEqualTo((byte) answers);
    }

    @Test
    void opensAFunctionOnceAndAgainOnceItIsClosed() {
        PciFunction function = open();
        assertThatThrownBy(this::open)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("is open in this process already");
        function.close();
        assertThatThrownBy(() -> function.bar(0)).isInstanceOf(IllegalStateException.class);
        open().close();
    }

    @Test
    void keepsTheMemoryOfAFunctionThatCannotBeMadeQuiet() throws IOException {
        PciFunction function = open();
        write("config", new byte[0]); // reads of it fail from now on
        assertThatThrownBy(function::close)
                .hasMessageStartingWith("pread failed: EIO")
                .satisfies(e -> assertThat(e.getSuppressed())
                        .singleElement()
                        .asString()
                        .contains("0000:00:04.0 could not be kept from its memory, which stays allocated"));
        function.close();
        assertThatThrownBy(() -> function.config().read8(0))
                .hasMessage("0000:00:04.0 is closed; thread 'main' closed it");
        plugIn();
        open().close();
    }

    @Test
    void goesOnWhenOneOfSeveralCannotBeMadeQuietAtTheEnd() throws IOException {
        PciFunction function = open();
        byte[] config = read("config");
        write("config", new byte[0]);
        Sysfs.quiesceAll();
        write("config", config);
        function.config().busMaster(true);
        Sysfs.quiesceAll();
        assertThat(function.config().read16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER)
                .isZero();
        function.close();
    }

    @Test
    void refusesAFunctionThatADriverHas() {
        host.bound(ADDRESS.toString(), "virtio-pci");
        assertThatThrownBy(this::open)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("is bound to virtio-pci")
                .hasMessageContaining("run 'nicctl unbind 0000:00:04.0'");
    }
}
