package io.doorbell.tools.command;

import static io.doorbell.tools.text.Table.number;
import static io.doorbell.tools.text.Table.text;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.ability.CounterReport;
import io.doorbell.frame.ability.Loss;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.NetInterface;
import io.doorbell.pci.PciDevice;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.host.KernelCounters;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.Table;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl stats}: what a NIC counts. */
@Command(
        name = "stats",
        header = "Shows what a NIC counts.",
        description = {
            "A NIC that is bound to vfio-pci is opened, and its frames are received and dropped for some time. What its"
                    + " counters mean is said with each, and where frames were lost, where and what helps.",
            "Of a NIC that the kernel drives, the kernel's counters are shown."
        })
public final class StatsCommand implements Callable<Integer> {

    private static final int BATCH = 32;
    /** How long to leave the CPU to others when no frame has arrived: far less than the ring takes to fill. */
    private static final long NAP_NANOS = 50_000;

    private final Context context;

    @Parameters(paramLabel = "ADDRESS", description = "PCI address of a NIC.")
    private String address = "";

    @Option(names = "--seconds", paramLabel = "N", description = "How long to receive; ${DEFAULT-VALUE} by default.")
    private int seconds = 5;

    @Option(
            names = "--interval",
            paramLabel = "S",
            description = "Seconds between two lines of rates; ${DEFAULT-VALUE} by default.")
    private int interval = 1;

    @Option(names = "--promiscuous", description = "Receives frames for other stations too.")
    private boolean promiscuous;

    @Option(names = "--json", description = "Prints one object, at the end.")
    private boolean json;

    public StatsCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (seconds < 1 || interval < 1) {
            throw new DoorbellException(
                    "--seconds and --interval must be at least 1: they are " + seconds + " and " + interval);
        }
        PciDevice device = context.nic(address);
        if (device.isBoundTo(DriverBinding.VFIO_PCI)) {
            try (Nic nic = context.open(address, NicConfig.defaults().withPromiscuous(promiscuous))) {
                receive(nic);
            }
        } else {
            showKernelCounters(device);
        }
        return 0;
    }

    private void receive(Nic nic) {
        if (!json) {
            context.print(nic.model() + ", " + nic.macAddress() + ", link " + Context.linkOf(nic));
            context.print("   FRAMES/S      MBIT/S   MISSED/S   ERRORS/S");
        }
        FrameBatch batch = new FrameBatch(BATCH);
        RxQueue queue = nic.rxQueue(0);
        NicStatistics before = nic.statistics();
        for (int left = seconds; left > 0; left -= interval) {
            int length = Math.min(left, interval);
            receive(queue, batch, length);
            NicStatistics now = nic.statistics();
            if (!json) {
                context.print(String.format(
                        "%,11.0f %,11.2f %,10.0f %,10.0f",
                        rate(before.rxFrames(), now.rxFrames(), length),
                        rate(before.rxBytes(), now.rxBytes(), length) * 8 / 1e6,
                        rate(before.rxMissed(), now.rxMissed(), length),
                        rate(before.rxErrors(), now.rxErrors(), length)));
            }
            before = now;
        }
        show(before, nic);
    }

    private static void receive(RxQueue queue, FrameBatch batch, int length) {
        long deadline = System.nanoTime() + length * 1_000_000_000L;
        while (deadline - System.nanoTime() > 0) {
            if (queue.receive(batch) == 0) {
                LockSupport.parkNanos(NAP_NANOS);
            }
            batch.release();
        }
    }

    private static double rate(long before, long now, int length) {
        return (double) (now - before) / length;
    }

    private void show(NicStatistics totals, Nic nic) {
        SequencedMap<String, Long> counters = new LinkedHashMap<>();
        counters.put("rxFrames", totals.rxFrames());
        counters.put("rxBytes", totals.rxBytes());
        counters.put("rxMissed", totals.rxMissed());
        counters.put("rxErrors", totals.rxErrors());
        counters.put("txFrames", totals.txFrames());
        counters.put("txBytes", totals.txBytes());
        counters.put("txErrors", totals.txErrors());
        if (json) {
            context.printJson(Json.object(
                    "address",
                    address,
                    "model",
                    nic.model(),
                    "mac",
                    nic.macAddress().toString(),
                    "link",
                    nic.linkState().toString(),
                    "seconds",
                    seconds,
                    "statistics",
                    counters,
                    "counters",
                    totals.details(),
                    "losses",
                    nic.find(CounterReport.class).isEmpty()
                            ? null
                            : losses(nic).stream().map(StatsCommand::toJson).toList()));
            return;
        }
        context.print("");
        context.console().out().print(table(counters));
        SequencedMap<String, Long> counted = new LinkedHashMap<>(totals.details());
        counted.values().removeIf(value -> value == 0);
        if (!counted.isEmpty()) {
            context.print("");
            context.print("Counters of the device and of its driver that are not 0:");
            context.console().out().print(table(counted, meanings(nic)));
        }
        if (nic.find(CounterReport.class).isPresent()) {
            context.print("");
            explain(losses(nic));
        }
    }

    private void explain(List<Loss> losses) {
        if (losses.isEmpty()) {
            context.print("No frame was lost.");
        }
        for (Loss loss : losses) {
            context.print(String.format("%,d frames lost: %s (%s)", loss.frames(), loss.cause(), loss.counters()));
            context.print("  " + loss.advice());
        }
    }

    private static List<Loss> losses(Nic nic) {
        return nic.find(CounterReport.class).map(CounterReport::losses).orElse(List.of());
    }

    private static Object toJson(Loss loss) {
        return Json.object(
                "cause", loss.cause(), "frames", loss.frames(), "counters", loss.counters(), "advice", loss.advice());
    }

    private static Map<String, String> meanings(Nic nic) {
        Map<String, String> meanings = new LinkedHashMap<>();
        nic.find(CounterReport.class)
                .ifPresent(report ->
                        report.counters().forEach(counter -> meanings.put(counter.name(), counter.meaning())));
        return meanings;
    }

    private static Table table(Map<String, Long> counters, Map<String, String> meanings) {
        if (meanings.isEmpty()) {
            return table(counters);
        }
        Table table = new Table(text("COUNTER"), number("VALUE"), text("MEANING"));
        counters.forEach((name, value) -> table.row(name, value, meanings.getOrDefault(name, "")));
        return table;
    }

    private void showKernelCounters(PciDevice device) {
        if (device.interfaces().isEmpty()) {
            throw new DoorbellException(device.address() + " is bound to "
                    + device.driver().orElse("no driver") + " and has no network interface, so nobody counts:"
                    + " 'nicctl bind " + device.address() + "' lets Doorbell open it");
        }
        NetInterface net = device.interfaces().getFirst();
        SequencedMap<String, Long> counters = KernelCounters.of(context.bus(), net.name());
        if (json) {
            context.printJson(Json.object(
                    "address", device.address().toString(),
                    "interface", net.name(),
                    "driver", device.driver().orElse(null),
                    "counters", counters));
        } else {
            context.print(
                    net.name() + ", " + net.mac() + ", link " + ListCommand.link(net) + "; the kernel's counters:");
            context.console().out().print(table(counters));
        }
    }

    private static Table table(Map<String, Long> counters) {
        Table table = new Table(text("COUNTER"), number("VALUE"));
        counters.forEach(table::row);
        return table;
    }
}
