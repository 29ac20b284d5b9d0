package io.doorbell.bench.env;

import io.doorbell.DoorbellException;
import io.doorbell.frame.spi.BoundedWait;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Two of the kernel's virtual Ethernet interfaces (veth(4)) with a cable between them, for as long as a scenario needs
 * them. They have no addresses, and the kernel sends nothing over them by itself. It takes root to make them.
 */
public final class VethPair implements AutoCloseable {

    private static final int PATIENCE_SECONDS = 10;

    private static final AtomicInteger COUNT = new AtomicInteger();

    /** As short as an interface's has to be: at most 15 characters with the last one. */
    private final String name = "db" + ProcessHandle.current().pid() + "v" + COUNT.getAndIncrement() + "e";

    private final Thread hook = new Thread(this::remove);

    /**
     * Makes the two, and sets them up.
     *
     * @throws DoorbellException when this process may not make them, or something is missing
     */
    public VethPair() {
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            ip("link", "add", near(name), "type", "veth", "peer", "name", far(name));
            for (String end : new String[] {near(name), far(name)}) {
                silence(end);
                ip("link", "set", end, "arp", "off", "multicast", "off", "up");
            }
            awaitLink(near(name));
            awaitLink(far(name));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** What both interfaces are called, but for their last letters. */
    public String name() {
        return name;
    }

    /** The interface at one end of the pair with this name. */
    public static String near(String name) {
        return name + "0";
    }

    /** The interface at the other end. */
    public static String far(String name) {
        return name + "1";
    }

    public static Path folder(String end) {
        return Path.of("/sys/class/net", end);
    }

    /** Without this, an interface looks for IPv6 routers and neighbours as soon as it is up. */
    private static void silence(String end) {
        Path off = Path.of("/proc/sys/net/ipv6/conf", end, "disable_ipv6");
        try {
            if (Files.exists(off)) {
                Files.writeString(off, "1");
            }
        } catch (IOException e) {
            throw new DoorbellException("cannot write to " + off + ": " + e.getMessage(), e);
        }
    }

    /** The kernel tells an interface some time later that its peer is up too. */
    private static void awaitLink(String end) {
        BoundedWait.require(
                end + " to be up",
                () -> operState(end).equals("up"),
                Duration.ofSeconds(PATIENCE_SECONDS),
                () -> "its operstate is '" + operState(end) + "'");
    }

    private static String operState(String end) {
        Path state = folder(end).resolve("operstate");
        try {
            return Files.readString(state).strip();
        } catch (IOException e) {
            throw new DoorbellException("cannot read " + state + ": " + e.getMessage(), e);
        }
    }

    private synchronized void remove() {
        if (Files.exists(folder(near(name)))) {
            ip("link", "delete", near(name)); // the other one goes with it
        }
    }

    static void ip(String... words) {
        String command = "ip " + String.join(" ", words);
        try {
            String[] all = command.split(" ", -1);
            Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new DoorbellException(
                        "'" + command + "' failed: " + output
                                + "; it takes root (CAP_NET_ADMIN, and CAP_NET_RAW for frames) and a kernel with the module veth");
            }
        } catch (IOException e) {
            throw new DoorbellException(
                    "cannot run '" + command + "': " + e.getMessage() + "; ip is in the package iproute2", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DoorbellException("interrupted during '" + command + "'", e);
        }
    }

    @Override
    public void close() {
        remove();
        Runtime.getRuntime().removeShutdownHook(hook);
    }
}
