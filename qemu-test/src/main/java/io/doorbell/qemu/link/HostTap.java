package io.doorbell.qemu.link;

import io.doorbell.qemu.QemuException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A network interface of this host at the other end of a NIC's cable, so that the host's own TCP/IP answers the driver.
 * QEMU makes it, with as many queues as the NIC is to have, and it is gone when QEMU is. Needs the right to make one:
 * root, as a rule.
 *
 * <p>Host and NIC are alone in a network of two addresses, from 198.18.0.0/15, which is set aside for tests (RFC 2544).
 */
public final class HostTap {

    private static final Path TUN = Path.of("/dev/net/tun");
    private static final int CAP_NET_ADMIN = 12;
    private static final int PATIENCE_SECONDS = 10;

    private static final AtomicInteger COUNT = new AtomicInteger();
    /** Networks of four addresses in 198.18.0.0/15. */
    private static final int NETWORKS = 1 << 15;

    private final String name;
    private final String nicMac;
    private final int queues;
    private final int network;

    /**
     * Gives it a name and addresses; it does not exist before QEMU has made it.
     *
     * @param nicMac the NIC's station address
     */
    public HostTap(String nicMac, int queues) {
        long pid = ProcessHandle.current().pid();
        int number = COUNT.getAndIncrement();
        this.nicMac = nicMac;
        this.queues = queues;
        this.name = "db" + pid % 10_000_000 + "t" + number;
        this.network = (int) ((pid * 64 + number) % NETWORKS);
    }

    /** Whether this process may make such interfaces. */
    public static boolean isPossible() {
        try {
            String capabilities = Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("CapEff:"))
                    .findFirst()
                    .orElse("CapEff: 0");
            long effective = Long.parseUnsignedLong(
                    capabilities.substring(capabilities.indexOf(':') + 1).strip(), 16);
            return Files.exists(TUN) && (effective >>> CAP_NET_ADMIN & 1) == 1;
        } catch (IOException e) {
            return false;
        }
    }

    /** The interface's name. */
    public String name() {
        return name;
    }

    /** The host's address. */
    public String hostAddress() {
        return address(1);
    }

    /** The address that belongs to the NIC. */
    public String nicAddress() {
        return address(2);
    }

    private String address(int host) {
        int low = network << 2 | host;
        return String.format(Locale.ROOT, "198.%d.%d.%d", 18 + (low >>> 16), low >>> 8 & 0xff, low & 0xff);
    }

    /** The host's address of IP version 6, once {@link #enableIpv6} was called. */
    public String hostAddress6() {
        return address6(1);
    }

    /** The NIC's address of IP version 6. */
    public String nicAddress6() {
        return address6(2);
    }

    private String address6(int host) {
        return String.format(Locale.ROOT, "fd0b:%x::%d", network, host);
    }

    public String netdev(String id) {
        return "tap,id=" + id + ",ifname=" + name + ",queues=" + queues + ",script=no,downscript=no,vhost=off";
    }

    /** Lets the host speak IP version 6, too. It then also looks for routers and neighbours by itself. */
    public void enableIpv6() {
        switchIpv6(true);
        run("ip", "address", "add", hostAddress6() + "/64", "dev", name, "nodad");
        run("ip", "neighbour", "add", nicAddress6(), "lladdr", nicMac, "dev", name, "nud", "permanent");
    }

    /** Switches the interface on, with both addresses known, so that no frame is sent but what the test asks for. */
    public void up() {
        switchIpv6(false);
        run("ip", "address", "add", hostAddress() + "/30", "dev", name);
        run("ip", "link", "set", name, "up");
        run("ip", "neighbour", "add", nicAddress(), "lladdr", nicMac, "dev", name, "nud", "permanent");
    }

    private void switchIpv6(boolean on) {
        Path off = Path.of("/proc/sys/net/ipv6/conf", name, "disable_ipv6");
        try {
            if (on || Files.exists(off)) {
                Files.writeString(off, on ? "0" : "1");
            }
        } catch (IOException e) {
            throw new QemuException("cannot write to " + off + ": " + e.getMessage(), e);
        }
    }

    private static void run(String... words) {
        try {
            Process process =
                    new ProcessBuilder(words).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new QemuException("'" + String.join(" ", words) + "' failed: " + output);
            }
        } catch (IOException e) {
            throw new QemuException("cannot run '" + String.join(" ", words) + "': " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QemuException("interrupted during '" + String.join(" ", words) + "'", e);
        }
    }
}
