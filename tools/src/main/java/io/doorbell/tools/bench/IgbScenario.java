package io.doorbell.tools.bench;

import io.doorbell.dma.DoorbellException;
import io.doorbell.qemu.GuestMachine;
import io.doorbell.qemu.GuestMachineBuilder;
import io.doorbell.qemu.GuestProcess;
import io.doorbell.qemu.GuestResult;
import io.doorbell.qemu.QemuBinary;
import io.doorbell.qemu.Wire;
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
 */
final class IgbScenario implements Scenario {

    /** Lines of the guest's half on its standard output. */
    static final String BEGIN = "begin ";

    static final String DONE = "done ";
    static final String FLOOD = "flood ";
    static final String RATES = "rates ";
    static final String ALLOCATED = "allocated ";

    /** Whom Doorbell is compared with, in the order of their NICs and of their figures. */
    static final List<String> PEERS = List.of("DPDK, igb", "kernel, AF_PACKET");

    /** Where nobody is to be flooded. */
    static final int NOBODY = -1;

    private static final Duration PATIENCE = Duration.ofMinutes(15);
    private static final Duration MODPROBE = Duration.ofSeconds(60);
    private static final int MEMORY_MIB = 3072;
    private static final int HUGE_PAGES = 256;
    private static final String UNIT = "Mframes/s";

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
        bench.steps().begin("booting a virtual machine with three igbs");
        GuestMachineBuilder builder =
                GuestMachine.builder().memoryMiB(MEMORY_MIB).hugePages(HUGE_PAGES);
        for (int nic = 0; nic <= PEERS.size(); nic++) {
            builder.nic("igb", mac(nic), Wire.cable(nic));
        }
        try (GuestMachine guest = builder.start()) {
            List<FloodedCable> cables = new ArrayList<>();
            try {
                for (int nic = 0; nic <= PEERS.size(); nic++) {
                    cables.add(new FloodedCable(guest.peer(Wire.cable(nic))));
                }
                guest.run(MODPROBE, "modprobe", "-a", "igb", "af_packet", "vfio-pci", "vfio_iommu_type1")
                        .orThrow();
                bench.steps().done("");
                new Listener(bench, cables).follow(guest);
            } finally {
                cables.forEach(FloodedCable::close);
            }
        }
    }

    static String mac(int nic) {
        return "02:00:00:00:01:0" + nic;
    }

    /** Does what the guest's half says. */
    private static final class Listener {

        private final Bench bench;
        private final List<FloodedCable> cables;
        private final Map<Work, List<double[]>> rates = new EnumMap<>(Work.class);
        private final Map<Work, Double> allocated = new EnumMap<>(Work.class);

        Listener(Bench bench, List<FloodedCable> cables) {
            this.bench = bench;
            this.cables = cables;
        }

        void follow(GuestMachine guest) {
            String pairs = String.valueOf(bench.pairs());
            List<String> command =
                    GuestMachine.java(JVM, IgbGuest.class.getName(), pairs, String.valueOf(bench.quick()));
            GuestProcess half = guest.spawn(command);
            GuestResult end = half.await(PATIENCE, this::hear);
            if (end.exit() != 0) {
                throw new DoorbellException(
                        "in the virtual machine: " + end.stderr().strip());
            }
            rates.forEach(this::addRows);
        }

        private void hear(String line) {
            if (line.startsWith(BEGIN)) {
                bench.steps().begin(line.substring(BEGIN.length()));
            } else if (line.startsWith(DONE)) {
                bench.steps().done(line.substring(DONE.length()));
            } else if (line.startsWith(FLOOD)) {
                int chosen = Integer.parseInt(line.substring(FLOOD.length()));
                for (int nic = 0; nic < cables.size(); nic++) {
                    cables.get(nic).flood(nic == chosen);
                }
            } else if (line.startsWith(RATES)) {
                String[] words = line.substring(RATES.length()).split(" ", -1);
                double[] figures = new double[words.length - 1];
                for (int i = 0; i < figures.length; i++) {
                    figures[i] = Double.parseDouble(words[i + 1]);
                }
                rates.computeIfAbsent(Work.valueOf(words[0]), work -> new ArrayList<>())
                        .add(figures);
            } else if (line.startsWith(ALLOCATED)) {
                String[] words = line.substring(ALLOCATED.length()).split(" ", -1);
                allocated.put(Work.valueOf(words[0]), Double.parseDouble(words[1]));
            }
        }

        private void addRows(Work work, List<double[]> figures) {
            for (int peer = 0; peer < PEERS.size(); peer++) {
                int column = peer + 1;
                List<Row.Pair> pairs = figures.stream()
                        .map(figure -> new Row.Pair(figure[0], figure[column]))
                        .toList();
                Subject subject = new Subject(
                        "igb-" + work.name().toLowerCase(Locale.ROOT),
                        "igb",
                        PEERS.get(peer),
                        UNIT,
                        true,
                        work.description);
                bench.add(Row.of(subject, pairs).with("bytes/frame", allocated.getOrDefault(work, Double.NaN)));
            }
        }
    }
}
