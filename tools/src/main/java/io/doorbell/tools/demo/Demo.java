package io.doorbell.tools.demo;

import io.doorbell.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.pci.PciAddress;
import io.doorbell.qemu.QemuBinary;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestMachineBuilder;
import io.doorbell.qemu.guest.GuestProcess;
import io.doorbell.qemu.guest.GuestResult;
import io.doorbell.tools.lab.JavaOptions;
import io.doorbell.tools.lab.Lab;
import io.doorbell.tools.lab.LabNic;
import io.doorbell.tools.text.Progress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The host's half of {@code nicctl demo} with QEMU's NICs: boots the guest, starts {@link DemoGuest} in it, tells how
 * that gets on, and is the peer of its exchanges.
 */
public final class Demo {

    /** Lines of the guest's half on its standard output; anything else is for people. */
    static final String BEGIN = "begin ";

    static final String DONE = "done ";
    static final String EXCHANGE = "exchange ";
    static final String REPORT = "report ";

    /** Far more than it takes where QEMU emulates the processor on a busy machine. */
    private static final Duration OVERHEAD = Duration.ofMinutes(3);

    private static final Duration PER_FRAME = Duration.ofMillis(10);

    private final Progress progress;
    private final int frames;
    private final List<Shown> nics;

    /**
     * A NIC to show.
     *
     * @param pcap where QEMU records what is on its wire
     * @param whole whether it does so to the end, or until numbered frames are under way: all of them take much room
     */
    public record Shown(LabNic nic, Path pcap, boolean whole) {}

    public Demo(Progress progress, int frames, List<Shown> nics) {
        this.progress = progress;
        this.frames = frames;
        this.nics = List.copyOf(nics);
    }

    public DemoResult run() {
        List<String> models = nics.stream().map(shown -> shown.nic().model()).toList();
        progress.step("looking for QEMU", () -> {
            QemuBinary qemu = QemuBinary.find();
            models.forEach(qemu::requireDevice);
            return "version " + qemu.version();
        });
        progress.begin("booting a virtual machine with an IOMMU, " + String.join(", ", models));
        GuestMachineBuilder builder = GuestMachine.builder();
        for (int i = 0; i < nics.size(); i++) {
            // Each comes with one of the kernel's.
            nics.get(i).nic().plugInto(builder).capture(captured(i), nics.get(i).pcap());
        }
        try (GuestMachine guest = builder.start()) {
            progress.done("");
            progress.step("loading the kernel's igb, virtio_net and vfio-pci", () -> Lab.loadDrivers(guest));
            return exercise(guest);
        }
    }

    /** The index, among all NICs of the guest, of one to show. */
    private static int captured(int shown) {
        return 2 * shown;
    }

    /** Everything but the boot, in a guest that has the NICs and their drivers. */
    DemoResult exercise(GuestMachine guest) {
        progress.begin("starting Java in it");
        List<LabNic> all = nics.stream().map(Shown::nic).toList();
        GuestProcess half = guest.spawn(command(guest, frames, all));
        Duration patience = OVERHEAD.plus(PER_FRAME.multipliedBy(frames)).multipliedBy(nics.size());
        try (Listener listener = new Listener(guest)) {
            GuestResult end = half.await(patience, listener::hear);
            if (end.exit() != 0 || listener.results.size() != nics.size()) {
                throw new DoorbellException("in the virtual machine: " + lastWords(end));
            }
            return new DemoResult(listener.results);
        }
    }

    /** What runs in the guest. */
    static List<String> command(GuestMachine guest, int frames, List<LabNic> nics) {
        String[] arguments = Stream.concat(
                        Stream.of(String.valueOf(frames)),
                        nics.stream().map(nic -> role(guest, nic).toString()))
                .toArray(String[]::new);
        return GuestMachine.java(JavaOptions.GUEST, DemoGuest.class.getName(), arguments);
    }

    private static DemoGuest.Role role(GuestMachine guest, LabNic nic) {
        return new DemoGuest.Role(
                address(guest, nic.mac()), address(guest, nic.kernelMac()), nic.peerMac(), nic.queues());
    }

    private static PciAddress address(GuestMachine guest, String mac) {
        return guest.nics().stream()
                .filter(nic -> nic.mac().equals(mac))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the guest has no NIC " + mac))
                .address();
    }

    private static String lastWords(GuestResult end) {
        String words = end.stderr().strip();
        return words.isEmpty() ? "the demo ended with status " + end.exit() + " and no word" : words;
    }

    /** Follows what the guest's half prints, and plays the peer of the NIC that is on. */
    private final class Listener implements AutoCloseable {

        private final GuestMachine guest;
        private final List<DemoResult.NicResult> results = new ArrayList<>();
        private @Nullable PeerExchange exchange;

        Listener(GuestMachine guest) {
            this.guest = guest;
        }

        void hear(String line) {
            if (line.startsWith(BEGIN)) {
                progress.done("");
                progress.begin(line.substring(BEGIN.length()));
            } else if (line.startsWith(DONE)) {
                progress.done(line.substring(DONE.length()));
            } else if (line.startsWith(EXCHANGE)) {
                progress.begin(line.substring(EXCHANGE.length()));
                begin(results.size());
            } else if (line.startsWith(REPORT)) {
                end(nics.get(results.size()).pcap(), NicReport.parse(line.substring(REPORT.length())));
            }
        }

        private void begin(int shown) {
            LabNic nic = nics.get(shown).nic();
            Runnable underWay = nics.get(shown).whole() ? () -> {} : () -> guest.endCapture(captured(shown));
            exchange = new PeerExchange(
                    guest.peer(nic.hub()),
                    MacAddress.parse(nic.mac()).value(),
                    nic.peerMac().value(),
                    frames,
                    progress,
                    underWay);
            exchange.start();
        }

        private void end(Path pcap, NicReport report) {
            PeerExchange over = exchange;
            if (over == null) {
                throw new DoorbellException("the virtual machine reports an exchange that it did not begin");
            }
            exchange = null;
            results.add(DemoResult.NicResult.of(frames, report, over.finish(), pcap));
        }

        @Override
        public void close() {
            if (exchange != null) {
                exchange.close();
            }
        }
    }
}
