package io.doorbell.tools.bench;

import com.sun.management.ThreadMXBean;
import io.doorbell.dma.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.NetInterface;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/** The guest's half of {@link IgbScenario}: Doorbell, and whom it is compared with, in turns. */
final class IgbGuest {

    private static final int BATCH = 32;
    private static final int RING = 512;
    private static final int POLLS = 200;
    private static final Duration LINK = Duration.ofSeconds(30);

    /** In which frames begin to flow. */
    private static final Duration SETTLE = Duration.ofMillis(250);

    private static final Duration WINDOW = Duration.ofSeconds(1);

    private static final Duration WARM_UP = Duration.ofSeconds(90);

    /** The compilers are done when they take less than this part of the time, so many rounds in succession. */
    private static final double QUIET = 0.05;

    private static final int QUIET_ROUNDS = 3;

    private static final int TICKS_PER_SECOND = 100;
    /** Where {@code utime} is behind the name in {@code /proc/PID/stat}. */
    private static final int USER_TICKS = 11;

    private static final Pattern RX = Pattern.compile("Rx-pps:\\s+(\\d+)");
    private static final Pattern TX = Pattern.compile("Tx-pps:\\s+(\\d+)");

    /** DPDK polls on the other core, and is not to wait for the kernel there. */
    private static final String INTERRUPTS_TO_CORE_0 =
            "for irq in /sys/class/net/$1/device/msi_irqs/*; do echo 1 >/proc/irq/${irq##*/}/smp_affinity; done";

    /** Whoever can be told to do some work for a window, and returns the millions of frames that passed in a second. */
    private interface Turn {
        double take(Work work, Duration window);
    }

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final FrameBatch batch = new FrameBatch(BATCH);
    private final int pairs;
    private final Duration warmUp;
    private final Duration window;
    private long frames;
    private long allocated;

    private IgbGuest(int pairs, boolean quick) {
        this.pairs = pairs;
        this.warmUp = quick ? WARM_UP.dividedBy(30) : WARM_UP;
        this.window = quick ? WINDOW.dividedBy(4) : WINDOW;
    }

    public static void main(String[] arguments) {
        try {
            new IgbGuest(Integer.parseInt(arguments[0]), Boolean.parseBoolean(arguments[1])).run();
        } catch (DoorbellException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private void run() {
        PciBus bus = PciBus.system();
        List<PciAddress> nics = List.of(address(0), address(1), address(2));
        say(IgbScenario.BEGIN, "taking two of them from the kernel");
        String kernel = bus.find(nics.get(2)).interfaces().stream()
                .map(NetInterface::name)
                .findFirst()
                .orElseThrow(() -> new DoorbellException(nics.get(2) + " has no network interface"));
        run("ip", "link", "set", kernel, "up", "promisc", "on");
        run("sh", "-c", INTERRUPTS_TO_CORE_0, "sh", kernel);
        DriverBinding binding = new DriverBinding(bus);
        binding.bind(nics.get(0), false);
        binding.bind(nics.get(1), false);
        NicConfig config = NicConfig.defaults().withRingSizes(RING, RING);
        try (Nic nic = Nic.open(nics.get(0).toString(), config)) {
            nic.promiscuous(true);
            nic.awaitLink(LINK);
            say(IgbScenario.DONE, "");
            say(IgbScenario.BEGIN, "starting DPDK, once for each driver");
            try (Testpmd dpdk = testpmd("igb", List.of("-a", nics.get(1).toString(), "--iova-mode=va"));
                    Testpmd packet =
                            testpmd("packet", List.of("--no-pci", "--vdev", "net_af_packet0,iface=" + kernel))) {
                say(IgbScenario.DONE, "");
                List<Turn> turns = List.of(
                        (work, time) -> doorbell(nic, work, time),
                        (work, time) -> testpmd(dpdk, 1, work, time),
                        (work, time) -> testpmd(packet, 2, work, time));
                warmUp(turns.get(0));
                for (Work work : Work.values()) {
                    compare(work, turns);
                }
            }
        }
    }

    /** Lets Doorbell work until the compilers, which are emulated too, have nothing left to do. */
    private void warmUp(Turn doorbell) {
        say(IgbScenario.BEGIN, "warming up Doorbell");
        long end = System.nanoTime() + warmUp.toNanos();
        int quiet = 0;
        while (quiet < QUIET_ROUNDS && System.nanoTime() < end) {
            long busyBefore = compilerTicks();
            long start = System.nanoTime();
            for (Work work : Work.values()) {
                doorbell.take(work, window);
            }
            double ticks = (System.nanoTime() - start) / 1e9 * TICKS_PER_SECOND;
            quiet = compilerTicks() - busyBefore < ticks * QUIET ? quiet + 1 : 0;
        }
        say(IgbScenario.DONE, "");
    }

    /** Processor time that the JVM's compilers have taken. */
    private static long compilerTicks() {
        long ticks = 0;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path thread : threads) {
                String stat = Files.readString(thread.resolve("stat"));
                int nameEnd = stat.lastIndexOf(')');
                if (stat.substring(0, nameEnd).contains("CompilerThre")) {
                    ticks += Long.parseLong(stat.substring(nameEnd + 2).split(" ", -1)[USER_TICKS]);
                }
            }
        } catch (IOException e) {
            throw new DoorbellException("cannot read what threads have done: " + e.getMessage(), e);
        }
        return ticks;
    }

    private static PciAddress address(int nic) {
        return new PciAddress(0, nic + 1, 0, 0);
    }

    private static Testpmd testpmd(String name, List<String> port) {
        List<String> command = new ArrayList<>(List.of("--lcores", "0@0,1@1", "--in-memory"));
        command.addAll(List.of("-m", "128", "--no-telemetry", "--file-prefix", name));
        command.addAll(port);
        command.addAll(List.of("--", "--interactive", "--no-lsc-interrupt", "--port-topology=loop"));
        command.addAll(List.of("--rxd=" + RING, "--txd=" + RING, "--burst=" + BATCH, "--total-num-mbufs=8192"));
        return Testpmd.start(command);
    }

    private void compare(Work work, List<Turn> turns) {
        String name = work.name().toLowerCase(Locale.ROOT);
        frames = 0;
        allocated = 0;
        say(IgbScenario.BEGIN, "igb " + name + ", against " + String.join(" and ", IgbScenario.PEERS));
        StringBuilder all = new StringBuilder();
        for (int pair = 0; pair < pairs; pair++) {
            double[] rates = new double[turns.size()];
            for (int i = 0; i < rates.length; i++) {
                int who = (i + pair) % rates.length; // the first is another one each time
                rates[who] = turns.get(who).take(work, window);
            }
            StringBuilder line = new StringBuilder(work.name());
            for (double figure : rates) {
                line.append(' ').append(figure(figure));
            }
            say(IgbScenario.RATES, line.toString());
            all.append(line.substring(work.name().length())).append(pair + 1 < pairs ? ";" : "");
        }
        say(IgbScenario.ALLOCATED, work.name() + " " + (double) allocated / frames);
        say(IgbScenario.DONE, all.toString().strip());
    }

    private double doorbell(Nic nic, Work work, Duration time) {
        flood(work, 0);
        poll(nic, work, SETTLE);
        long allocatedBefore = threads.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();
        long moved = poll(nic, work, time);
        double seconds = (System.nanoTime() - start) / 1e9;
        allocated += threads.getCurrentThreadAllocatedBytes() - allocatedBefore;
        frames += moved;
        say(IgbScenario.FLOOD, String.valueOf(IgbScenario.NOBODY));
        batch.release();
        return moved / seconds / 1e6;
    }

    private long poll(Nic nic, Work work, Duration time) {
        long moved = 0;
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            moved += work.poll(nic, batch, POLLS);
        }
        return moved;
    }

    private double testpmd(Testpmd testpmd, int nic, Work work, Duration time) {
        flood(work, nic);
        testpmd.command("set fwd " + work.engine);
        testpmd.command("start");
        sleep(SETTLE);
        testpmd.command("show port stats 0"); // the rate that this prints is that since the time before
        sleep(time);
        String statistics = testpmd.command("show port stats 0");
        testpmd.command("stop");
        say(IgbScenario.FLOOD, String.valueOf(IgbScenario.NOBODY));
        // Flooded, the kernel may not get round to a single frame; that is rounded up to one.
        return Math.max(Testpmd.number(work == Work.RECEIVE ? RX : TX, statistics), 1) / 1e6;
    }

    private static void flood(Work work, int nic) {
        say(IgbScenario.FLOOD, String.valueOf(work == Work.SEND ? IgbScenario.NOBODY : nic));
    }

    private static String figure(double rate) {
        return String.format(Locale.ROOT, "%.6f", rate);
    }

    private static void sleep(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }

    private static void run(String... command) {
        try {
            Process process = new ProcessBuilder(command).inheritIO().start();
            if (!process.waitFor(LINK.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new DoorbellException("'" + String.join(" ", command) + "' failed or did not end");
            }
        } catch (IOException e) {
            throw new DoorbellException("cannot start '" + String.join(" ", command) + "': " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DoorbellException("interrupted", e);
        }
    }

    private static void say(String what, String more) {
        System.out.println(what + more);
    }
}
