package io.doorbell.tools;

import io.doorbell.dma.DoorbellException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code nicctl demo}: Doorbell at work, on QEMU's NICs, in one command. */
@Command(
        name = "demo",
        header = "Shows Doorbell at work in a virtual machine.",
        description = {
            "Boots a virtual machine with an Intel 82576 (QEMU's igb) behind an IOMMU, takes the NIC from the kernel,"
                    + " answers the ping of the kernel's own stack on another NIC, and exchanges numbered frames of 60"
                    + " to 1514 bytes with a peer, in both directions at once. Every byte is checked, and no frame may"
                    + " be lost.",
            "QEMU records all frames in a file that Wireshark, tshark and tcpdump read."
        })
final class DemoCommand implements Callable<Integer> {

    private static final int MOST_FRAMES = 10_000_000;

    private final Context context;

    @Option(
            names = "--frames",
            paramLabel = "N",
            description = "Numbered frames in each direction; ${DEFAULT-VALUE} by default.")
    private int frames = 100_000;

    @Option(
            names = "--pcap",
            paramLabel = "FILE",
            description = "Where QEMU records the frames, whole; ${DEFAULT-VALUE} by default.")
    private Path pcap = Path.of("doorbell-demo-igb.pcap");

    @Option(names = "--json", description = "Prints one object.")
    private boolean json;

    DemoCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (frames < 1 || frames > MOST_FRAMES) {
            throw new DoorbellException("--frames must be from 1 to " + MOST_FRAMES + ", not " + frames);
        }
        Path file = pcap.toAbsolutePath().normalize();
        requireWritable(file);
        Progress progress = new Progress(context.console());
        long start = System.nanoTime();
        DemoResult result;
        try {
            result = new Demo(progress, frames, file).run();
        } catch (RuntimeException e) {
            progress.failed();
            if (json) {
                context.printJson(DemoResult.failure(secondsSince(start), String.valueOf(e.getMessage())));
            }
            throw e;
        }
        if (json) {
            context.printJson(result.toJson(secondsSince(start)));
        } else {
            print(result, secondsSince(start));
        }
        if (!result.pass()) {
            throw new DoorbellException(result.explainFailure());
        }
        return 0;
    }

    private void print(DemoResult result, double seconds) {
        for (DemoResult.NicResult nic : result.nics()) {
            context.print("");
            context.console().out().print(nic.table());
            context.print("");
            context.print("QEMU recorded every frame on the NIC's wire in " + nic.pcap()
                    + ": wireshark, tshark -r, tcpdump -r");
        }
        context.print(String.format("%s in %.1f s", result.pass() ? "passed" : "failed", seconds));
    }

    private static void requireWritable(Path file) {
        Path folder = file.getParent();
        boolean writable = Files.exists(file)
                ? Files.isRegularFile(file) && Files.isWritable(file)
                : folder != null && Files.isWritable(folder);
        if (!writable) {
            throw new DoorbellException("cannot write " + file + ": name a file that can be written with --pcap");
        }
    }

    private static double secondsSince(long startNanos) {
        return (System.nanoTime() - startNanos) / 1e9;
    }
}
