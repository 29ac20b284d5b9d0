package io.doorbell.tools.command;

import io.doorbell.DoorbellException;
import io.doorbell.qemu.ScratchFolder;
import io.doorbell.tools.demo.Demo;
import io.doorbell.tools.demo.DemoNic;
import io.doorbell.tools.demo.DemoResult;
import io.doorbell.tools.demo.VhostDemo;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.lab.Lab;
import io.doorbell.tools.lab.LabNic;
import io.doorbell.tools.text.LongStory;
import io.doorbell.tools.text.OutputFile;
import io.doorbell.tools.text.Progress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code nicctl demo}: Doorbell at work in one command. */
@Command(
        name = "demo",
        header = "Shows Doorbell at work in a virtual machine, or between two processes.",
        description = {
            "Boots a virtual machine with an IOMMU and two NICs for Doorbell, an Intel 82576 (QEMU's igb) and a"
                    + " virtio-net. Takes each from the kernel, answers the ping of the kernel's own stack at the other"
                    + " end of its wire, sends it some MiB by TCP, over two queues and with segmentation and checksums in the"
                    + " NIC where it does them, exchanges numbered frames of 60 to 1514 bytes with a peer, in both"
                    + " directions at once, and sleeps while there is nothing to do. Every byte is checked, and no frame"
                    + " may be lost.",
            "With --nic vhost-user, two local processes exchange the frames through shared memory instead: that takes"
                    + " neither a virtual machine nor root."
        })
public final class DemoCommand implements Callable<Integer> {

    private static final int MOST_FRAMES = 10_000_000;
    private static final String PCAP = ".pcap";

    private final Context context;

    @Option(
            names = "--nic",
            paramLabel = "NIC",
            converter = DemoNic.Converter.class,
            description = "Shows this one only: igb, virtio or vhost-user. Unless given: igb and virtio, side by side.")
    private @Nullable DemoNic only;

    @Option(
            names = "--frames",
            paramLabel = "N",
            description = "Numbered frames in each direction; ${DEFAULT-VALUE} by default.")
    private int frames = 100_000;

    @Option(
            names = "--pcap",
            paramLabel = "FILE",
            description =
                    "Where QEMU records all frames, for Wireshark, tshark and tcpdump: one file a NIC, whose name is"
                            + " added to this one. Unless given, it records the first frames, in a new folder for temporary files.")
    private @Nullable Path pcap;

    @Option(names = "--json", description = "Prints one object.")
    private boolean json;

    public DemoCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (frames < 1 || frames > MOST_FRAMES) {
            throw new DoorbellException("--frames must be from 1 to " + MOST_FRAMES + ", not " + frames);
        }
        Progress progress = new Progress(context.console());
        Supplier<DemoResult> demo = demo(progress);
        long start = System.nanoTime();
        DemoResult result;
        try {
            result = demo.get();
        } catch (RuntimeException e) {
            progress.failed();
            RuntimeException failure = e instanceof DoorbellException known ? LongStory.shorten(known) : e;
            if (json) {
                context.printJson(DemoResult.failure(secondsSince(start), String.valueOf(failure.getMessage())));
            }
            throw failure;
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

    private Supplier<DemoResult> demo(Progress progress) {
        if (only == DemoNic.VHOST_USER) {
            if (pcap != null) {
                throw new DoorbellException(
                        "--pcap is for NICs of QEMU's: between two processes, nobody records frames");
            }
            return new VhostDemo(progress, frames)::run;
        }
        Path given = pcap;
        if (given != null) {
            return new Demo(progress, frames, shown(given, true))::run;
        }
        return () -> {
            try (ScratchFolder scratch = ScratchFolder.create("doorbell-")) {
                DemoResult result = new Demo(progress, frames, shown(scratch.file("demo" + PCAP), false)).run();
                scratch.keep(); // where it is will be said
                return result;
            }
        };
    }

    private List<Demo.Shown> shown(Path record, boolean whole) {
        return Stream.of(Lab.IGB, Lab.VIRTIO)
                .filter(nic -> only == null || only.toString().equals(nic.driver()))
                .map(nic -> new Demo.Shown(nic, fileFor(nic, record), whole))
                .toList();
    }

    /** {@code demo.pcap} becomes {@code demo-igb.pcap}. */
    private static Path fileFor(LabNic nic, Path record) {
        String name = record.toString();
        String stem = name.endsWith(PCAP) ? name.substring(0, name.length() - PCAP.length()) : name;
        Path file = Path.of(stem + "-" + nic.driver() + PCAP).toAbsolutePath().normalize();
        OutputFile.requireWritable(file, "--pcap");
        return file;
    }

    private void print(DemoResult result, double seconds) {
        context.print("");
        context.console().out().print(result.table());
        context.print("");
        for (DemoResult.NicResult nic : result.nics()) {
            if (nic.pcap() != null) {
                context.print((pcap == null ? "The first frames" : "All frames") + " on the wire of " + nic.driver()
                        + " are in " + nic.pcap() + ": wireshark, tshark -r, tcpdump -r");
            }
        }
        context.print(String.format("%s in %.1f s", result.pass() ? "passed" : "failed", seconds));
    }

    private static double secondsSince(long startNanos) {
        return (System.nanoTime() - startNanos) / 1e9;
    }
}
