package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.qemu.guest.GuestMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The guest's file tree is the host's, and so are the programs on its {@code PATH}: here, a host whose programs all fail.
 */
@Tag("guest")
class HostProgramsIT {

    /** First on the guest's {@code PATH}. */
    private static final Path FIRST_ON_PATH = Path.of("/usr/local/sbin");

    /** Whatever busybox has, some host has differently. */
    private static final Path BUSYBOX = cache().resolve("busybox");

    /** Hides the folder that is first on the path behind another, for a command and all that it starts. */
    private static final String HIDE = "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";

    @TempDir
    private Path folder;

    @Test
    void theLabsOwnStepsNeedNoneOfThem() throws Exception {
        assumeTrue(Files.isDirectory(FIRST_ON_PATH), "SKIPPED: there is no " + FIRST_ON_PATH + " here");
        Path broken = Files.createDirectory(folder.resolve("broken"));
        assumeTrue(
                run(hiding(broken, List.of("true"))) == 0,
                "SKIPPED: this user may not mount anything, not even in a namespace of its own: " + errors());
        for (String name : programs()) {
            Path program = Files.writeString(
                    broken.resolve(name), "#!/bin/sh\necho \"the host's $0 was called: $0 $*\" >&2\nexit 97\n");
            assertThat(program.toFile().setExecutable(true)).isTrue();
        }

        int status = run(hiding(
                broken,
                GuestMachine.java(NicCtl.class.getName(), "demo", "--frames=500", "--pcap=" + folder.resolve("demo"))));

        assertThat(status).as(errors()).isZero();
        assertThat(errors())
                .contains("5 of 5 answered", "giving 0000:03:00.0 back: to virtio-pci")
                .doesNotContain("was called");
    }

    private static List<String> hiding(Path broken, List<String> command) throws IOException {
        List<String> all = new ArrayList<>(List.of("unshare", "--mount"));
        if (!Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0)) {
            all.add("--map-root-user");
        }
        all.addAll(List.of("/bin/sh", "-c", HIDE, "sh", broken.toString(), FIRST_ON_PATH.toString()));
        all.addAll(command);
        return all;
    }

    private List<String> programs() throws Exception {
        assertThat(run(List.of(BUSYBOX.toString(), "--list"))).isZero();
        List<String> programs = Files.readAllLines(folder.resolve("out"));
        assertThat(programs).contains("modprobe", "ip", "ping", "mount", "depmod", "setsid", "insmod", "usleep");
        return programs;
    }

    private static Path cache() {
        String caches = System.getenv().getOrDefault("XDG_CACHE_HOME", "");
        return (caches.isEmpty() ? Path.of(System.getenv("HOME"), ".cache") : Path.of(caches)).resolve("doorbell");
    }

    private int run(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        try {
            assertThat(process.waitFor(5, TimeUnit.MINUTES))
                    .as("it ends in time")
                    .isTrue();
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    private String errors() throws IOException {
        return Files.readString(folder.resolve("err"));
    }
}
