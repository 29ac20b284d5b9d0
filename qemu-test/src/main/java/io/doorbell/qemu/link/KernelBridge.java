package io.doorbell.qemu.link;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A bridge of the host's kernel that joins the NICs of one QEMU, in a network namespace that QEMU alone is in: nothing of
 * the host's network is touched, and all of it is gone when QEMU is. Linux can do so for any user, where the system's
 * administrator has not forbidden it.
 */
public final class KernelBridge {

    private static final int TRIAL_SECONDS = 10;
    private static final Path SELF = Path.of("/proc/self");

    /** Its arguments: how many NICs, the MTU, and the command that it becomes. */
    private static final String SET_UP = """
            set -e
            # The kernel would have something to say to its new neighbours.
            echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 || true
            ip link add bridge0 type bridge
            nic=0
            while [ $nic -lt $1 ]; do
                ip tuntap add dev tap$nic mode tap vnet_hdr
                ip link set tap$nic mtu $2 master bridge0 up
                nic=$((nic + 1))
            done
            ip link set bridge0 mtu $2 up
            shift 2
            exec "$@"
            """;

    private KernelBridge() {}

    /** The command that sets the bridge up and then becomes {@code command}, in the same process. */
    public static List<String> around(List<String> command, int nics, int mtu) {
        List<String> all = new ArrayList<>(List.of("unshare", "--net"));
        if (!isRoot()) {
            all.add("--map-root-user");
        }
        all.addAll(List.of("/bin/sh", "-c", SET_UP, "bridge", Integer.toString(nics), Integer.toString(mtu)));
        all.addAll(command);
        return all;
    }

    /** The {@code -netdev} that connects NIC {@code nic}, which passes on what its frames ask for. */
    public static String netdev(String id, int nic) {
        return "tap,id=" + id + ",ifname=tap" + nic + ",script=no,downscript=no,vnet_hdr=on";
    }

    /** Why there can be no bridge here; empty if there can. */
    public static Optional<String> obstacle() {
        try {
            Process trial = new ProcessBuilder(around(List.of("true"), 1, 1500))
                    .redirectErrorStream(true)
                    .start();
            trial.getOutputStream().close();
            if (!trial.waitFor(TRIAL_SECONDS, TimeUnit.SECONDS)) {
                trial.destroyForcibly();
                return Optional.of("setting up a bridge in a network namespace took too long");
            }
            String words = new String(trial.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return trial.exitValue() == 0
                    ? Optional.empty()
                    : Optional.of("a bridge in a network namespace of its own cannot be set up: " + words);
        } catch (IOException e) {
            return Optional.of("a bridge in a network namespace of its own cannot be set up: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("interrupted while trying to set up a bridge");
        }
    }

    private static boolean isRoot() {
        try {
            return Files.getAttribute(SELF, "unix:uid").equals(0);
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
