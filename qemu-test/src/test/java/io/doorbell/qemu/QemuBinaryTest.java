package io.doorbell.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QemuBinaryTest {

    @TempDir
    Path folder;

    @Test
    @Tag("qtest")
    void knowsTheModelsOfTheQemuThatIsInstalled() {
        QemuBinary qemu = QemuBinary.find();
        assertThat(qemu.path()).isExecutable();
        assertThat(qemu.devices()).contains("igb", "virtio-net-pci", "e1000e");
        assertThat(qemu.requireDevice("igb")).isSameAs(qemu);
    }

    @Test
    void saysWhereItLookedAndWhatToInstallWhenThereIsNone() {
        assertThatThrownBy(() -> QemuBinary.find(null, folder + ":/nowhere"))
                .isInstanceOf(QemuException.class)
                .hasMessageContaining("no QEMU: qemu-system-x86_64 is nowhere on the path (" + folder + ":/nowhere)")
                .hasMessageContaining("Install QEMU 8.0 or newer")
                .hasMessageContaining("-Ddoorbell.qemu=");
        assertThatThrownBy(() -> QemuBinary.find(null, null)).hasMessageContaining("nowhere on the path");
    }

    @Test
    void refusesANamedFileThatCannotRun() {
        assertThatThrownBy(() -> QemuBinary.find("/nowhere/qemu", "/usr/bin"))
                .hasMessageContaining("no QEMU: /nowhere/qemu, named by -Ddoorbell.qemu, is not an executable file");
    }

    @Test
    void refusesAProgramThatIsNoQemu() throws Exception {
        Path other = program("echo hello");
        assertThatThrownBy(() -> QemuBinary.find(other.toString(), null))
                .hasMessageContaining(other + " --version does not answer as QEMU does");
    }

    @Test
    void takesTheFirstOnThePathAndReadsItsVersionAndModels() throws Exception {
        Path old = program("""
                case $1 in
                    --version) echo 'QEMU emulator version 7.2.17 (Debian 1:7.2)' ;;
                    *) echo 'name "e1000e", bus PCI, alias "new-e1000", desc "Intel"' ;;
                esac
                """);
        QemuBinary found = QemuBinary.find(null, "/nowhere:" + folder + ":/usr/bin");
        assertThat(found.path()).isEqualTo(old);
        assertThat(found.version()).isEqualTo("7.2.17");
        assertThat(found.devices()).containsExactlyInAnyOrder("e1000e", "new-e1000");
        assertThatThrownBy(() -> found.requireDevice("igb"))
                .hasMessageStartingWith(old + " is QEMU 7.2.17, which has no device 'igb'");
    }

    private Path program(String script) throws Exception {
        Path path = folder.resolve(QemuBinary.NAME);
        Files.writeString(path, "#!/bin/sh\n" + script + "\n");
        return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
    }
}
