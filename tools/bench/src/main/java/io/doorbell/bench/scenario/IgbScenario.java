package io.doorbell.bench.scenario;

import io.doorbell.DoorbellException;
import io.doorbell.bench.load.TrafficGenerator;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.result.Subject;
import io.doorbell.bench.workload.Workload;
import io.doorbell.qemu.QemuBinary;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestMachineBuilder;
import io.doorbell.qemu.guest.GuestProcess;
import io.doorbell.qemu.guest.GuestResult;
import io.doorbell.qemu.link.Wire;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The igb driver in a virtual machine, through VFIO. The guest has three of QEMU's igbs: one for Doorbell, one for DPDK's
 * driver, one for the kernel's, whose frames DPDK takes from an AF_PACKET socket that is mapped into memory, the fastest
 * way there is to that socket. {@link IgbGuest} lets the three take turns; this half is the other end of their cables.
 *
 * <p>It does so in two machines: one as fast as can be, for frames a second; and one without the kernel's NIC, whose
 * clock counts instructions, for what the driver and the loop around it take for a frame, whatever the device takes.
 */
final class IgbScenario implements Scenario {

    /** Lines of the guest's half on its standard output. */
    static final String BEGIN = "begin ";

    static final String DONE = "done ";
    static final String FLOOD = "flood ";
    static final String FIGURES = "figures ";
    static final String ALLOCATED = "allocated ";

    /** Whom Doorbell is compared with, in the order of their NICs and of their figures. */
    static final List<String> PEERS = List.of("DPDK, igb", "kernel, AF_PACKET");

    /** Where nobody is to be flooded. */
    static final int NOBODY = -1;

    /** What the guest's half measures. */
    enum Measure {
        /** Millions of frames a second. */
        RATES,
        /** Instructions that the guest executes for a frame. */
        INSTRUCTIONS
    }

    private static final Duration PATIENCE = Duration.ofMinutes(15);
    private static final int MEMORY_MIB = 3072;
    private static final int HUGE_PAGES = 256;
    private static final String UNIT = "Mframes/s";

    private static final String INSTRUCTIONS = "instructions/frame: what the guest executes in polls that move frames,"
            + " counted in a machine of one processor";

    /** C2 compiles the loops, as it would on a real machine; what jnr-ffi would write for system calls costs more. */
    private static final List<String> JVM = List.of("-XX:+UseSerialGC", "-Xmx256m", "-Djnr.ffi.asm.enabled=false");

    @Override
    public String name() {
        return "igb";
    }

    @Override
    public String description() {
        return "igb in a virtual machine, against DPDK's driver and the kernel's AF_PACKET";
    }

    @Override
    public void run(Bench bench) {
        QemuBinary.find().requireDevice("igb");
        Listener rates = new Listener(bench);
        measure(bench, Measure.RATES, bench.pairs(), machine(PEERS.size() + 1), rates);
        Listener instructions = new Listener(bench);
        if (!bench.quick()) { // this machine takes a minute to start
            // One processor, so that no other one's instructions pass for the driver's. A count needs no repetition.
            // The kernel is left out: it works in interrupts, which cannot be told from those of frames that it drops.
            measure(
                    bench,
                    Measure.INSTRUCTIONS,
                    1,
                    machine(PEERS.size()).cpus(1).instructionClock(),
                    instructions);
        }
        for (Workload workload : workloads(bench.quick())) {
            List<double[]> counted = instructions.figures(workload);
            addRows(bench, workload, rates, counted.isEmpty() ? new double[0] : counted.getFirst());
        }
    }

    private static GuestMachineBuilder machine(int nics) {
        GuestMachineBuilder builder =
                GuestMachine.builder().memoryMiB(MEMORY_MIB).hugePages(HUGE_PAGES);
        for (int nic = 0; nic < nics; nic++) {
            builder.nic("igb", mac(nic), Wire.cable(nic));
        }
        return builder;
    }

    private static void measure(
            Bench bench, Measure measure, int pairs, GuestMachineBuilder builder, Listener listener) {
        bench.steps()
                .begin("booting a virtual machine with igbs"
                        + (measure == Measure.INSTRUCTIONS ? ", whose clock counts instructions" : ""));
        try (GuestMachine guest = builder.start()) {
            List<TrafficGenerator> generators = new ArrayList<>();
            try {
                for (int nic = 0; nic < guest.nics().size(); nic++) {
                    generators.add(new TrafficGenerator(guest.peer(Wire.cable(nic))));
                }
                guest.load("igb", "af_packet", "vfio-pci", "vfio_iommu_type1");
                bench.steps().done("");
                listener.follow(guest, generators, measure, pairs);
            } finally {
                generators.forEach(TrafficGenerator::close);
            }
        }
    }

    private static void addRows(Bench bench, Workload workload, Listener rates, double[] instructions) {
        for (int peer = 0; peer < PEERS.size(); peer++) {
            int column = peer + 1;
            List<Row.Pair> pairs = rates.figures(workload).stream()
                    .map(figure -> new Row.Pair(figure[0], figure[column]))
                    .toList();
            Subject subject = new Subject(
                    "igb-" + workload.name().toLowerCase(Locale.ROOT),
                    "igb",
                    PEERS.get(peer),
                    UNIT,
                    true,
                    workload.description + "; " + INSTRUCTIONS);
            Row row = Row.of(subject, pairs).with("bytes/frame", rates.allocated.getOrDefault(workload, Double.NaN));
            if (instructions.length > 0) {
                row = row.with("instructions/frame", instructions[0]);
            }
            bench.add(column < instructions.length ? row.with("peer's instructions/frame", instructions[column]) : row);
        }
    }

    /** What both halves go through: to see whether all works, one is enough. */
    static List<Workload> workloads(boolean quick) {
        return quick ? List.of(Workload.FORWARD) : List.of(Workload.values());
    }

    static String mac(int nic) {
        return "02:00:00:00:01:0" + nic;
    }

    /** Does what the guest's half says, and remembers its figures. */
    private static final class Listener {

        private final Bench bench;
        private final Map<Workload, List<double[]>> figures = new EnumMap<>(Workload.class);
        private final Map<Workload, Double> allocated = new EnumMap<>(Workload.class);

        Listener(Bench bench) {
            this.bench = bench;
        }

        void follow(GuestMachine guest, List<TrafficGenerator> generators, Measure measure, int pairs) {
            List<String> command = GuestMachine.java(
                    JVM,
                    IgbGuest.class.getName(),
                    measure.name(),
                    String.valueOf(pairs),
                    String.valueOf(bench.quick()));
            GuestProcess half = guest.spawn(command);
            GuestResult end = half.await(PATIENCE, line -> hear(line, generators));
            if (end.exit() != 0) {
                throw new DoorbellException(
                        "in the virtual machine: " + end.stderr().strip());
            }
        }

        /** One array a round, Doorbell's figure first. */
        List<double[]> figures(Workload workload) {
            return figures.getOrDefault(workload, List.of());
        }

        private void hear(String line, List<TrafficGenerator> generators) {
            if (line.startsWith(BEGIN)) {
                bench.steps().begin(line.substring(BEGIN.length()));
            } else if (line.startsWith(DONE)) {
                bench.steps().done(line.substring(DONE.length()));
            } else if (line.startsWith(FLOOD)) {
                int chosen = Integer.parseInt(line.substring(FLOOD.length()));
                for (int nic = 0; nic < generators.size(); nic++) {
                    generators.get(nic).flood(nic == chosen);
                }
            } else if (line.startsWith(FIGURES)) {
                String[] words = line.substring(FIGURES.length()).split(" ", -1);
                double[] round = new double[words.length - 1];
                for (int i = 0; i < round.length; i++) {
                    round[i] = Double.parseDouble(words[i + 1]);
                }
                figures.computeIfAbsent(Workload.valueOf(words[0]), workload -> new ArrayList<>())
                        .add(round);
            } else if (line.startsWith(ALLOCATED)) {
                String[] words = line.substring(ALLOCATED.length()).split(" ", -1);
                allocated.put(Workload.valueOf(words[0]), Double.parseDouble(words[1]));
            }
        }
    }
}
