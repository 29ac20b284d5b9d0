package io.doorbell.tools;

import io.doorbell.dma.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.qemu.GuestMachine;
import io.doorbell.qemu.GuestProcess;
import io.doorbell.qemu.GuestResult;
import io.doorbell.qemu.NumberedExchange.Counts;
import io.doorbell.qemu.QemuBinary;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The host's half of {@code nicctl demo}: boots the guest, starts {@link DemoGuest} in it, tells how that gets
 * on, and is the peer of its exchange.
 */
final class Demo {

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
    private final Path pcap;

    Demo(Progress progress, int frames, Path pcap) {
        this.progress = progress;
        this.frames = frames;
        this.pcap = pcap;
    }

    DemoResult run() {
        progress.step(
                "looking for QEMU",
                () -> "version " + QemuBinary.find().requireDevice("igb").version());
        progress.begin("booting a virtual machine with an IOMMU, an igb and a virtio-net");
        try (GuestMachine guest = GuestMachine.builder()
                .nic("igb", Lab.IGB_MAC, Lab.HUB)
                .nic("virtio-net-pci", Lab.KERNEL_MAC, Lab.HUB)
                .peer(Lab.HUB)
                .capture(0, pcap)
                .start()) {
            progress.done("");
            progress.step("loading the kernel's igb, virtio_net and vfio-pci", () -> Lab.loadDrivers(guest));
            return new DemoResult(List.of(exercise(guest)));
        }
    }

    /** Everything but the boot, in a guest that has the NICs and their drivers. */
    DemoResult.NicResult exercise(GuestMachine guest) {
        long mac = MacAddress.parse(Lab.IGB_MAC).value();
        long peerMac = MacAddress.parse(Lab.PEER_MAC).value();
        try (PeerExchange exchange = new PeerExchange(guest.peer(Lab.HUB), mac, peerMac, frames, progress)) {
            progress.begin("starting Java in it");
            GuestProcess half = guest.spawn(command(guest, frames));
            Listener listener = new Listener(exchange);
            GuestResult end = half.await(OVERHEAD.plus(PER_FRAME.multipliedBy(frames)), listener::hear);
            GuestReport report = listener.report;
            if (end.exit() != 0 || report == null) {
                throw new DoorbellException("in the virtual machine: " + lastWords(end));
            }
            Counts ours = exchange.finish();
            return new DemoResult.NicResult(
                    frames,
                    DemoResult.Direction.of(ours, report.counts()),
                    DemoResult.Direction.of(report.counts(), ours),
                    report,
                    pcap);
        }
    }

    /** What runs in the guest. */
    static List<String> command(GuestMachine guest, int frames) {
        return GuestMachine.java(
                JavaOptions.GUEST,
                DemoGuest.class.getName(),
                DemoGuest.arguments(
                        guest.nic(0).address(), guest.nic(1).address(), MacAddress.parse(Lab.PEER_MAC), frames));
    }

    private static String lastWords(GuestResult end) {
        String words = end.stderr().strip();
        return words.isEmpty() ? "the demo ended with status " + end.exit() + " and no word" : words;
    }

    /** Follows what the guest's half prints. */
    private final class Listener {

        private final PeerExchange exchange;

        @Nullable
        GuestReport report;

        Listener(PeerExchange exchange) {
            this.exchange = exchange;
        }

        void hear(String line) {
            if (line.startsWith(BEGIN)) {
                progress.done("");
                progress.begin(line.substring(BEGIN.length()));
            } else if (line.startsWith(DONE)) {
                progress.done(line.substring(DONE.length()));
            } else if (line.startsWith(EXCHANGE)) {
                progress.begin(line.substring(EXCHANGE.length()));
                exchange.start();
            } else if (line.startsWith(REPORT)) {
                report = GuestReport.parse(line.substring(REPORT.length()));
            }
        }
    }
}
