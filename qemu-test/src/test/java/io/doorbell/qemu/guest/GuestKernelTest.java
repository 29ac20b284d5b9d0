package io.doorbell.qemu.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.qemu.QemuException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestKernelTest {

    @TempDir
    Path cache;

    @Test
    void saysWhereItLookedAndWhatFetchesAKernel() {
        assertThatThrownBy(() -> GuestKernel.find(cache))
                .isInstanceOf(QemuException.class)
                .hasMessageContainingAll("no guest kernel", cache + "/kernel/VERSION/vmlinuz", "./nicctl lab");
    }

    @Test
    void saysWhichModulesAreMissing() throws IOException {
        Files.createFile(Files.createDirectories(cache.resolve("kernel/6.12.1")).resolve("vmlinuz"));
        assertThatThrownBy(() -> GuestKernel.find(cache))
                .isInstanceOf(QemuException.class)
                .hasMessageContainingAll("6.12.1 has no modules", "lib/modules/6.12.1/modules.dep", "./nicctl lab");
    }

    @Test
    void saysThatBusyboxIsMissing() throws IOException {
        unpack("6.12.1", "");
        assertThatThrownBy(() -> GuestKernel.find(cache))
                .isInstanceOf(QemuException.class)
                .hasMessageContainingAll("no busybox", cache.resolve("busybox").toString(), "./nicctl lab");
    }

    @Test
    void takesTheKernelThatWasFetchedLastAndNoneThatIsHalfUnpacked() throws IOException {
        addBusybox();
        fetchedAt(1, unpack("6.12.9", ""));
        fetchedAt(2, unpack("6.12.10", ""));
        fetchedAt(3, unpack(".6.12.11.4242", ""));
        assertThat(GuestKernel.find(cache).version()).isEqualTo("6.12.10");
    }

    @Test
    void ordersTheModulesThatAModuleNeedsBeforeIt() throws IOException {
        addBusybox();
        unpack("6.12.1", """
                kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko
                kernel/net/9p/9pnet.ko:
                kernel/drivers/vfio/pci/vfio-pci.ko: kernel/drivers/vfio/vfio.ko
                """);
        GuestKernel kernel = GuestKernel.find(cache);
        assertThat(kernel.modulesFor("9p"))
                .extracting(file -> file.getFileName().toString())
                .containsExactly("netfs.ko", "9pnet.ko", "9p.ko");
        assertThat(kernel.modulesFor("vfio_pci")).hasSize(2);
        assertThat(kernel.modulesFor("9pnet")).hasSize(1);
        assertThat(kernel.modulesFor("virtio_console")).as("built in").isEmpty();
    }

    @Test
    void refusesAModuleThatTheKernelDoesNotHave() throws IOException {
        addBusybox();
        Path home = unpack("6.12.1", "kernel/fs/9p/9p.ko:\n");
        Files.writeString(home.resolve("lib/modules/6.12.1/modules.builtin"), "kernel/net/packet/af_packet.ko\n");
        GuestKernel kernel = GuestKernel.find(cache);
        assertThat(kernel.modulesFor("af-packet")).isEmpty();
        assertThatThrownBy(() -> kernel.modulesFor("vfio-pcl"))
                .isInstanceOf(QemuException.class)
                .hasMessageStartingWith("the guest's kernel 6.12.1 has no module vfio-pcl: ");
    }

    @Test
    void looksWhereTheLaunchersUnpackTo() {
        assertThat(GuestKernel.cache(Map.of("HOME", "/home/a"))).isEqualTo(Path.of("/home/a/.cache/doorbell"));
        assertThat(GuestKernel.cache(Map.of("HOME", "/home/a", "XDG_CACHE_HOME", "/b")))
                .isEqualTo(Path.of("/b/doorbell"));
    }

    private Path unpack(String version, String dependencies) throws IOException {
        Path home = cache.resolve("kernel").resolve(version);
        Path modules = Files.createDirectories(home.resolve("lib/modules").resolve(version));
        Files.writeString(modules.resolve("modules.dep"), dependencies);
        Files.createFile(home.resolve("vmlinuz"));
        return home;
    }

    private void addBusybox() throws IOException {
        Path busybox = Files.createFile(cache.resolve("busybox"));
        assertThat(busybox.toFile().setExecutable(true)).isTrue();
    }

    private static void fetchedAt(long second, Path home) throws IOException {
        Files.setLastModifiedTime(home, FileTime.fromMillis(second * 1000));
    }
}
