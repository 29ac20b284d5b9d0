package io.doorbell.tools.command;

import static io.doorbell.tools.text.Table.number;
import static io.doorbell.tools.text.Table.text;

import io.doorbell.DoorbellException;
import io.doorbell.dma.HugePages;
import io.doorbell.dma.IommuMapper.IovaRange;
import io.doorbell.dma.PinnedMemory;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.DriverFeature;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.pci.Capability;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.NetInterface;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciNames;
import io.doorbell.pci.PciResource;
import io.doorbell.pci.vfio.Vfio;
import io.doorbell.pci.vfio.VfioReport;
import io.doorbell.tools.host.ConfigSnapshot;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.host.NicNames;
import io.doorbell.tools.text.Fields;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.Table;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl info}: all that is known about one NIC. */
@Command(
        name = "info",
        header = "Shows all that is known about a NIC.",
        description = {
            "A NIC that is bound to vfio-pci and that nobody uses is opened, and therefore reset: that shows more."
        })
public final class InfoCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(paramLabel = "ADDRESS", description = "PCI address of a NIC, such as 0000:01:00.0.")
    private String address = "";

    @Option(names = "--json", description = "Prints one object.")
    private boolean json;

    public InfoCommand(Context context) {
        this.context = context;
    }

    /** What only somebody who has opened the NIC can tell. */
    private record Opened(String model, MacAddress mac, LinkState link, List<String> abilities, VfioReport vfio) {}

    /** Or why nobody can. */
    private record Attempt(@Nullable Opened opened, String whyNot) {}

    @Override
    public Integer call() {
        PciDevice nic = context.nic(address);
        ConfigSnapshot config = ConfigSnapshot.of(context.bus(), nic.address());
        Attempt attempt = open(nic);
        if (json) {
            context.printJson(json(nic, config, attempt));
        } else {
            print(nic, config, attempt);
        }
        return 0;
    }

    private Attempt open(PciDevice nic) {
        try {
            context.requireBound(nic);
            VfioReport vfio = Vfio.inspect(nic.address());
            try (Nic open = context.open(nic.address().toString())) {
                return new Attempt(
                        new Opened(open.model(), open.macAddress(), Context.linkOf(open), abilities(open), vfio), "");
            }
        } catch (DoorbellException e) {
            return new Attempt(null, String.valueOf(e.getMessage()));
        }
    }

    private static List<String> abilities(Nic nic) {
        return nic.abilities().types().stream()
                .map(Class::getSimpleName)
                .sorted()
                .toList();
    }

    private void print(PciDevice nic, ConfigSnapshot config, Attempt attempt) {
        NicNames names = new NicNames(PciNames.system(), context.providers());
        Fields fields = new Fields();
        fields.add("address", nic.address());
        fields.add("id", nic.id() + " (subsystem " + nic.subsystem() + ")");
        if (!names.of(nic).isEmpty()) {
            fields.add("name", names.of(nic));
        }
        fields.add("class", String.format("0x%06x, Ethernet controller", nic.classCode()));
        nic.link()
                .ifPresent(link -> fields.add(
                        "PCI Express",
                        link.speed() + " x" + link.width() + " (at most " + link.maxSpeed() + " x" + link.maxWidth()
                                + ")"));
        nic.numaNode().ifPresent(node -> fields.add("NUMA node", node));
        fields.add("kernel driver", nic.driver().orElse("none"));
        for (NetInterface net : nic.interfaces()) {
            fields.add("interface", describe(net));
        }
        List<String> uses = context.bus().uses(nic.address());
        if (!uses.isEmpty()) {
            fields.add("in use", String.join("\n", uses));
        }
        fields.add("Doorbell driver", names.driverInWords(nic).orElse("none"));
        Opened opened = attempt.opened();
        if (opened == null) {
            fields.add("opened", "no: " + attempt.whyNot());
            fields.add("reset", nic.resettable() ? "of this function alone" : "not of this function alone");
        } else {
            fields.add("opened", "as " + opened.model());
            fields.add("MAC address", opened.mac());
            fields.add("link", opened.link());
            fields.add("abilities", String.join(", ", opened.abilities()));
            fields.add("reset", opened.vfio().resettable() ? "of this function alone" : "not of this function alone");
            fields.add("interrupts", describe(opened.vfio().interrupts()));
            fields.add(
                    "DMA addresses",
                    opened.vfio().permitted().stream().map(IovaRange::toString).collect(Collectors.joining("\n")));
        }
        fields.add("IOMMU group", group(nic));
        fields.add("memory for DMA", hugePages(HugePages.now()));
        fields.add("memlock limit", memlock(Kernel.linux().memlockLimit()));
        context.console().out().print(fields);
        printFeatures(names.features(nic));
        printBars(nic, opened);
        printCapabilities(config);
    }

    private void printFeatures(List<DriverFeature> features) {
        if (features.isEmpty()) {
            return;
        }
        Table table = new Table(text("THE DRIVER DOES WITH THIS MODEL"), text("SHOWN"));
        features.forEach(feature -> table.row(feature.name(), feature.evidence()));
        context.print("");
        context.console().out().print(table);
    }

    private void printBars(PciDevice nic, @Nullable Opened opened) {
        if (nic.resources().isEmpty()) {
            return;
        }
        Table bars = new Table(text("BAR"), number("START"), number("SIZE"), text("KIND"), text("MAPPABLE"));
        for (PciResource resource : nic.resources()) {
            bars.row(
                    resource.number() == 6 ? "ROM" : String.valueOf(resource.number()),
                    String.format("0x%x", resource.start()),
                    size(resource.size()),
                    kind(resource),
                    opened == null ? null : mappable(resource, opened.vfio()));
        }
        context.print("");
        context.console().out().print(bars);
    }

    private void printCapabilities(ConfigSnapshot config) {
        context.print("");
        if (!config.isComplete()) {
            context.print("capabilities: only root may read them");
            return;
        }
        Table table = new Table(text("CAPABILITY"), number("ID"), number("OFFSET"), text("LIST"));
        for (Capability capability : config.capabilities()) {
            table.row(
                    capability.name(),
                    String.format("0x%02x", capability.id()),
                    String.format("0x%03x", capability.offset()),
                    capability.extended() ? "extended, version " + capability.version() : "standard");
        }
        context.console().out().print(table);
    }

    private Object json(PciDevice nic, ConfigSnapshot config, Attempt attempt) {
        NicNames names = new NicNames(PciNames.system(), context.providers());
        HugePages pages = HugePages.now();
        return Json.object(
                "address", nic.address().toString(),
                "id", nic.id().toString(),
                "subsystem", nic.subsystem().toString(),
                "name", names.of(nic),
                "class", nic.classCode(),
                "driver", nic.driver().orElse(null),
                "interfaces", nic.interfaces().stream().map(InfoCommand::json).toList(),
                "uses", context.bus().uses(nic.address()),
                "numaNode", nic.numaNode().orElse(null),
                "doorbell", names.driver(nic).orElse(null),
                "features",
                        names.features(nic).stream()
                                .map(feature -> Json.object(
                                        "name", feature.name(),
                                        "evidence", feature.evidence().name()))
                                .toList(),
                "opened", attempt.opened() == null ? null : json(attempt.opened()),
                "notOpened", attempt.opened() == null ? attempt.whyNot() : null,
                "resettable", nic.resettable(),
                "iommuGroup", nic.iommuGroup().orElse(null),
                "iommuGroupMembers",
                        members(nic).stream()
                                .map(member -> member.address().toString())
                                .toList(),
                "hugePages", Json.object("total", pages.total(), "free", pages.free(), "bytes", HugePages.SIZE),
                "memlockLimit", limit(Kernel.linux().memlockLimit()),
                "bars", nic.resources().stream().map(InfoCommand::json).toList(),
                "capabilities",
                        config.isComplete()
                                ? config.capabilities().stream()
                                        .map(InfoCommand::json)
                                        .toList()
                                : null);
    }

    private static Object json(Opened opened) {
        VfioReport vfio = opened.vfio();
        return Json.object(
                "model", opened.model(),
                "mac", opened.mac().toString(),
                "link", opened.link().toString(),
                "abilities", opened.abilities(),
                "resettable", vfio.resettable(),
                "interrupts",
                        Json.object(
                                "intx", vfio.interrupts().intx(),
                                "msi", vfio.interrupts().msi(),
                                "msix", vfio.interrupts().msix()),
                "dmaAddresses",
                        vfio.permitted().stream().map(IovaRange::toString).toList(),
                "regions",
                        vfio.regions().stream()
                                .map(region -> Json.object(
                                        "number", region.number(),
                                        "size", region.size(),
                                        "mappable",
                                                region.mappable().stream()
                                                        .map(area ->
                                                                Json.object("start", area.start(), "size", area.size()))
                                                        .toList()))
                                .toList());
    }

    private static Object json(NetInterface net) {
        return Json.object(
                "name", net.name(),
                "mac", net.mac(),
                "up", net.up(),
                "link", net.carrier().orElse(null),
                "megabitsPerSecond", net.speed().orElse(null),
                "addresses",
                        net.addresses().stream()
                                .map(address -> address.getHostAddress())
                                .toList());
    }

    private static Object json(PciResource resource) {
        return Json.object(
                "number", resource.number(),
                "start", resource.start(),
                "size", resource.size(),
                "kind", kind(resource));
    }

    private static Object json(Capability capability) {
        return Json.object(
                "name", capability.name(),
                "id", capability.id(),
                "offset", capability.offset(),
                "extended", capability.extended());
    }

    private List<PciDevice> members(PciDevice nic) {
        return nic.iommuGroup().map(context.bus()::group).orElse(List.of());
    }

    private String group(PciDevice nic) {
        Optional<Integer> group = nic.iommuGroup();
        if (group.isEmpty()) {
            return "none: enable the IOMMU in the firmware, and boot with intel_iommu=on or amd_iommu=on";
        }
        List<PciDevice> members = members(nic);
        if (members.size() == 1) {
            return group.get() + ", alone in it";
        }
        return group.get() + ", with "
                + members.stream()
                        .filter(member -> !member.address().equals(nic.address()))
                        .map(member -> member.address() + " (" + member.driver().orElse("no driver") + ")")
                        .collect(Collectors.joining(", "));
    }

    private static String describe(NetInterface net) {
        String addresses = net.addresses().stream()
                .map(address -> address.getHostAddress())
                .collect(Collectors.joining(", "));
        return net.name() + ", " + net.mac() + ", link " + ListCommand.link(net)
                + (addresses.isEmpty() ? "" : ", " + addresses);
    }

    static String hugePages(HugePages pages) {
        if (pages.free() == 0) {
            return "ordinary pages; no hugepages free: 0 of " + pages.total()
                    + "; reserve some with 'echo 64 > /proc/sys/vm/nr_hugepages' as root";
        }
        String free = "hugepages of 2 MiB: " + pages.free() + " of " + pages.total() + " are free";
        // A cgroup may forbid what the pool has, and the pool may have promised it to others.
        try (PinnedMemory one = PinnedMemory.allocate(1)) {
            return one.whyOrdinaryPages()
                    .map(why -> "ordinary pages; " + free + ", but this process gets none: " + why)
                    .orElse(free);
        }
    }

    static String memlock(long bytes) {
        return bytes == Kernel.UNLIMITED ? "none" : size(bytes) + "; raise it with 'ulimit -l unlimited' as root";
    }

    private static @Nullable Long limit(long bytes) {
        return bytes == Kernel.UNLIMITED ? null : bytes;
    }

    private static String describe(InterruptInfo interrupts) {
        return "MSI-X: " + interrupts.msix() + ", MSI: " + interrupts.msi() + ", INTx: " + interrupts.intx();
    }

    private static String mappable(PciResource resource, VfioReport vfio) {
        for (VfioReport.Region region : vfio.regions()) {
            if (region.number() == resource.number() && !region.mappable().isEmpty()) {
                return region.mappable().equals(List.of(new VfioReport.Area(0, region.size())))
                        ? "all"
                        : region.mappable().stream()
                                .map(area -> String.format("0x%x-0x%x", area.start(), area.start() + area.size() - 1))
                                .collect(Collectors.joining(", "));
            }
        }
        return "no";
    }

    private static String kind(PciResource resource) {
        if (resource.isIo()) {
            return "I/O ports";
        }
        return "memory, " + (resource.is64Bit() ? "64 bits" : "32 bits")
                + (resource.isPrefetchable() ? ", prefetchable" : "");
    }

    /** In the largest unit that leaves a whole number. */
    static String size(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB"};
        int unit = 0;
        long value = bytes;
        while (unit < units.length - 1 && value >= 1024 && value % 1024 == 0) {
            value /= 1024;
            unit++;
        }
        return value + " " + units[unit];
    }
}
