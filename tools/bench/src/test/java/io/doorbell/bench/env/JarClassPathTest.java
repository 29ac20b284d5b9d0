package io.doorbell.bench.env;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.qemu.ScratchFolder;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JarClassPathTest {

    @TempDir
    private Path folder;

    @Test
    void putsAFolderIntoAJarAndLeavesJarsAlone() throws Exception {
        Path classes = Files.createDirectories(folder.resolve("classes/a/b"))
                .getParent()
                .getParent();
        Files.writeString(classes.resolve("a/b/c.txt"), "words");
        Path jar = Files.writeString(folder.resolve("other.jar"), "");

        try (ScratchFolder scratch = ScratchFolder.create("doorbell-bench")) {
            String[] path = JarClassPath.of(
                            classes + File.pathSeparator + jar + File.pathSeparator + folder.resolve("nowhere"),
                            scratch)
                    .split(File.pathSeparator, -1);

            assertThat(path).hasSize(2).endsWith(jar.toString());
            try (JarFile made = new JarFile(path[0])) {
                assertThat(made.getInputStream(made.getEntry("a/b/c.txt"))).hasContent("words");
            }
        }
    }
}
