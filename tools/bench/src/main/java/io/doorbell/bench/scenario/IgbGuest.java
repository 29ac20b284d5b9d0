package io.doorbell.bench.scenario;

import com.sun.management.ThreadMXBean;
import io.doorbell.DoorbellException;
import io.doorbell.bench.env.Pause;
import io.doorbell.bench.peer.Testpmd;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.workload.Workload;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.NetInterface;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.qemu.guest.GuestMachine;
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
import java.util.regex.Pattern;

/** The guest's half of {@link IgbScenario}: Doorbell, and whom it is compared with, in turns. */
final class IgbGuest {

    private static final int BATCH = 32;
    private static final int RING = 512;
    private static final int POLLS = 200;
    private static final Duration LINK = Duration.ofSeconds(30);
    /** The compilers are done when they take less than this part of the time, so many rounds in succession. */
    private static final double QUIET = 0.05;

    private static final int QUIET_ROUNDS = 3;

    private static final int TICKS_PER_SECOND = 100;
    /** Where {@code utime} is behind the name in {@code /proc/PID/stat}. */
    private static final int USER_TICKS = 11;

    /** What reading the clock costs is the least of so many tries. */
    private static final int CLOCK_TRIES = 10_000;

    /** Where the clock counts instructions, one passes in each nanosecond, and a cycle of the TSC is one too. */
    private static final Pattern CYCLES = Pattern.compile("CPU cycles/packet=(\\d+\\.\\d+)");

    private static final Pattern RX = Pattern.compile("Rx-pps:\\s+(\\d+)");
    private static final Pattern TX = Pattern.compile("Tx-pps:\\s+(\\d+)");

    /** DPDK polls on the other core, and is not to wait for the kernel there. */
    private static final String INTERRUPTS_TO_CORE_0 =
            "for irq in /sys/class/net/$1/device/msi_irqs/*; do echo 1 >/proc/irq/${irq##*/}/smp_affinity; done";

    /** Whoever can be told to do some work for a window, and returns its {@link IgbScenario.Measure}. */
    private interface Turn {
        double take(Workload workload, Duration window);
    }

    /**
     * How long what takes.
     *
     * @param settle in which frames begin to flow
     * @param window in which they are counted
     * @param warmUp at most
     */
    private record Times(Duration settle, Duration window, Duration warmUp) {
        Times quick() {
            return new Times(settle, window.dividedBy(2), warmUp.dividedBy(30));
        }
    }

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final FrameBatch batch = new FrameBatch(BATCH);
    private final IgbScenario.Measure measure;
    private final int pairs;
    private final List<Workload> workloads;
    private final Times times;
    private long frames;
    private long allocated;

    private IgbGuest(IgbScenario.Measure measure, int pairs, boolean quick) {
        this.measure = measure;
        this.pairs = pairs;
        this.workloads = IgbScenario.workloads(quick);
        Times times = switch (measure) {
            case RATES -> new Times(Duration.ofMillis(250), Duration.ofMillis(700), Duration.ofSeconds(90));
            // As the guest's clock has it; on the host's, each is about eight times as long.
            case INSTRUCTIONS -> new Times(Duration.ofMillis(20), Duration.ofMillis(100), Duration.ofSeconds(5));
        };
        this.times = quick ? times.quick() : times;
    }

    public static void main(String[] arguments) {
        try {
            IgbScenario.Measure measure = IgbScenario.Measure.valueOf(arguments[0]);
            new IgbGuest(measure, Integer.parseInt(arguments[1]), Boolean.parseBoolean(arguments[2])).run();
        } catch (DoorbellException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private void run() {
        PciBus bus = PciBus.system();
        PciAddress first = address(0);
        PciAddress second = address(1);
        say(IgbScenario.BEGIN, "taking two of them from the kernel");
        DriverBinding binding = new DriverBinding(bus);
        binding.bind(first, false);
        binding.bind(second, false);
        NicConfig config = NicConfig.defaults().withRingSizes(RING, RING);
        try (Nic nic = Nic.open(first.toString(), config)) {
            nic.promiscuous(true);
            nic.awaitLink(LINK);
            say(IgbScenario.DONE, "");
            switch (measure) {
                case RATES -> rates(nic, second, interfaceOf(bus, address(2)));
                case INSTRUCTIONS -> instructions(nic, second);
            }
        }
    }

    private static String interfaceOf(PciBus bus, PciAddress nic) {
        return bus.find(nic).interfaces().stream()
                .map(NetInterface::name)
                .findFirst()
                .orElseThrow(() -> new DoorbellException(nic + " has no network interface"));
    }

    private void rates(Nic nic, PciAddress second, String kernel) {
        run(GuestMachine.tool("ip"), "link", "set", kernel, "up", "promisc", "on");
        run(GuestMachine.tool("sh"), "-c", INTERRUPTS_TO_CORE_0, "sh", kernel);
        say(IgbScenario.BEGIN, "starting DPDK, once for each driver");
        try (Testpmd dpdk = testpmd(second);
                Testpmd packet = testpmd("packet", List.of("--no-pci", "--vdev", "net_af_packet0,iface=" + kernel))) {
            say(IgbScenario.DONE, "");
            compare(List.of(
                    (workload, time) -> doorbell(nic, workload, time),
                    (workload, time) -> testpmd(dpdk, 1, workload, time),
                    (workload, time) -> testpmd(packet, 2, workload, time)));
        }
    }

    private void instructions(Nic nic, PciAddress second) {
        say(IgbScenario.BEGIN, "starting DPDK");
        try (Testpmd dpdk = testpmd(second)) {
            say(IgbScenario.DONE, "");
            compare(List.of(
                    (workload, time) -> doorbellsInstructions(nic, workload, time),
                    (workload, time) -> testpmdsInstructions(dpdk, 1, workload, time)));
        }
    }

    private void compare(List<Turn> turns) {
        warmUp(turns.getFirst());
        for (Workload workload : workloads) {
            compare(workload, turns);
        }
    }

    /** Lets Doorbell work until the compilers, which are emulated too, have nothing left to do. */
    private void warmUp(Turn doorbell) {
        say(IgbScenario.BEGIN, "warming up Doorbell");
        long end = System.nanoTime() + times.warmUp.toNanos();
        int quiet = 0;
        while (quiet < QUIET_ROUNDS && System.nanoTime() < end) {
            long busyBefore = compilerTicks();
            long start = System.nanoTime();
            for (Workload workload : workloads) {
                doorbell.take(workload, times.window.dividedBy(2));
            }
            double ticks = (System.nanoTime() - start) / 1e9 * TICKS_PER_SECOND;
            quiet = compilerTicks() - busyBefore < ticks * QUIET ? quiet + 1 : 0;
            letCompilersFinish(end);
        }
        say(IgbScenario.DONE, "");
    }

    /** Out of their way, they are done sooner, and in a machine of one processor much sooner. */
    private void letCompilersFinish(long end) {
        long before;
        do {
            before = compilerTicks();
            Pause.of(times.settle);
        } while (compilerTicks() > before && System.nanoTime() < end);
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

    private static Testpmd testpmd(PciAddress nic) {
        return testpmd("igb", List.of("-a", nic.toString(), "--iova-mode=va"));
    }

    private static Testpmd testpmd(String name, List<String> port) {
        int last = Runtime.getRuntime().availableProcessors() - 1;
        List<String> command = new ArrayList<>(List.of("--lcores", "0@0,1@" + last, "--in-memory"));
        command.addAll(List.of("-m", "128", "--no-telemetry", "--file-prefix", name));
        command.addAll(port);
        command.addAll(List.of("--", "--interactive", "--no-lsc-interrupt", "--port-topology=loop"));
        command.addAll(List.of("--rxd=" + RING, "--txd=" + RING, "--burst=" + BATCH, "--total-num-mbufs=8192"));
        return Testpmd.start(command);
    }

    private void compare(Workload workload, List<Turn> turns) {
        String name = workload.name().toLowerCase(Locale.ROOT);
        frames = 0;
        allocated = 0;
        List<String> peers = IgbScenario.PEERS.subList(0, turns.size() - 1);
        String what = measure == IgbScenario.Measure.INSTRUCTIONS ? "instructions, " : "";
        say(IgbScenario.BEGIN, "igb " + name + ", " + what + "against " + String.join(" and ", peers));
        List<double[]> rounds = new ArrayList<>();
        for (int pair = 0; pair < pairs; pair++) {
            double[] rates = new double[turns.size()];
            for (int i = 0; i < rates.length; i++) {
                int who = (i + pair) % rates.length; // the first is another one each time
                rates[who] = turns.get(who).take(workload, times.window);
            }
            StringBuilder line = new StringBuilder(workload.name());
            for (double figure : rates) {
                line.append(' ').append(figure(figure));
            }
            say(IgbScenario.FIGURES, line.toString());
            rounds.add(rates);
        }
        if (measure == IgbScenario.Measure.RATES) {
            say(IgbScenario.ALLOCATED, workload.name() + " " + (double) allocated / frames);
        }
        List<String> ratios = new ArrayList<>();
        for (int peer = 1; peer < turns.size(); peer++) {
            int column = peer;
            double[] all = rounds.stream()
                    .mapToDouble(rates -> rates[0] / rates[column])
                    .toArray();
            ratios.add(String.format(Locale.ROOT, "%.2f", Row.median(all)));
        }
        say(IgbScenario.DONE, String.join(" and ", ratios));
    }

    private double doorbell(Nic nic, Workload workload, Duration time) {
        flood(workload, 0);
        poll(nic, workload, times.settle);
        long allocatedBefore = threads.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();
        long moved = poll(nic, workload, time);
        double seconds = (System.nanoTime() - start) / 1e9;
        allocated += threads.getCurrentThreadAllocatedBytes() - allocatedBefore;
        frames += moved;
        say(IgbScenario.FLOOD, String.valueOf(IgbScenario.NOBODY));
        batch.release();
        return moved / seconds / 1e6;
    }

    private long poll(Nic nic, Workload workload, Duration time) {
        long moved = 0;
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            moved += workload.poll(nic, batch, POLLS);
        }
        return moved;
    }

    /** What polls take that move frames; those in vain are not counted, as testpmd does not count its own. */
    private double doorbellsInstructions(Nic nic, Workload workload, Duration time) {
        flood(workload, 0);
        poll(nic, workload, times.settle);
        long clock = clockCost();
        long instructions = 0;
        long moved = 0;
        long start = System.nanoTime();
        long now;
        do {
            long before = System.nanoTime();
            long count = workload.poll(nic, batch, 1);
            now = System.nanoTime();
            if (count > 0) {
                moved += count;
                instructions += now - before - clock;
            }
        } while (now - start < time.toNanos() || (moved == 0 && now - start < LINK.toNanos()));
        say(IgbScenario.FLOOD, String.valueOf(IgbScenario.NOBODY));
        batch.release();
        return (double) instructions / moved;
    }

    /** What passes between two looks at the clock of which one follows the other. */
    private static long clockCost() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < CLOCK_TRIES; i++) {
            long before = System.nanoTime();
            least = Math.min(least, System.nanoTime() - before);
        }
        return least;
    }

    private double testpmdsInstructions(Testpmd testpmd, int nic, Workload workload, Duration time) {
        flood(workload, nic);
        testpmd.command("set fwd " + workload.engine);
        testpmd.command("set record-core-cycles on");
        testpmd.command("start");
        Pause.of(times.settle.plus(time));
        String statistics = testpmd.command("stop");
        say(IgbScenario.FLOOD, String.valueOf(IgbScenario.NOBODY));
        return Testpmd.number(CYCLES, statistics);
    }

    private double testpmd(Testpmd testpmd, int nic, Workload workload, Duration time) {
        flood(workload, nic);
        testpmd.command("set fwd " + workload.engine);
        testpmd.command("start");
        Pause.of(times.settle);
        testpmd.command("show port stats 0"); // the rate that this prints is that since the time before
        Pause.of(time);
        String statistics = testpmd.command("show port stats 0");
        testpmd.command("stop");
        say(IgbScenario.FLOOD, String.valueOf(IgbScenario.NOBODY));
        // Flooded, the kernel may not get round to a single frame; that is rounded up to one.
        return Math.max(Testpmd.number(workload == Workload.RECEIVE ? RX : TX, statistics), 1) / 1e6;
    }

    private static void flood(Workload workload, int nic) {
        say(IgbScenario.FLOOD, String.valueOf(workload == Workload.SEND ? IgbScenario.NOBODY : nic));
    }

    private static String figure(double rate) {
        return String.format(Locale.ROOT, "%.6f", rate);
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
