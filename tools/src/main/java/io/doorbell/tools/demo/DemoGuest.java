package io.doorbell.tools.demo;

import io.doorbell.DoorbellException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.NetInterface;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciDevice;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.tools.host.ConfigSnapshot;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.host.LeakCheck;
import io.doorbell.tools.text.Console;
import io.doorbell.tools.text.Steps;
import java.time.Duration;

/**
 * The guest's half of {@code nicctl demo}; {@link Demo} starts it and understands what it prints. A program of its own
 * and not a command of {@code nicctl}: where the processor is emulated, the parser of the command line alone takes
 * seconds to load.
 */
final class DemoGuest implements Steps {

    private static final Duration LINK = Duration.ofSeconds(30);
    private static final Duration IDLE = Duration.ofSeconds(2);
    private static final long WARM_UP_DIVISOR = 2;

    private final Context context;
    private final int frames;

    private DemoGuest(Context context, int frames) {
        this.context = context;
        this.frames = frames;
    }

    /**
     * A NIC to show, and who else is on its wire.
     *
     * @param kernel the NIC that the kernel's stack pings from
     * @param peer where numbered frames go
     * @param queues how many the NIC has on such a wire
     */
    record Role(PciAddress nic, PciAddress kernel, MacAddress peer, int queues) {

        private static Role parse(String argument) {
            String[] parts = argument.split(",", 4);
            return new Role(
                    PciAddress.parse(parts[0]),
                    PciAddress.parse(parts[1]),
                    MacAddress.parse(parts[2]),
                    Integer.parseInt(parts[3]));
        }

        /** As an argument of {@link #main}. */
        @Override
        public String toString() {
            return nic + "," + kernel + "," + peer + "," + queues;
        }
    }

    /** Takes the number of frames, and a {@link Role} for each NIC to show, one after the other. */
    public static void main(String[] arguments) {
        Console console = Console.ofProcess();
        try {
            DemoGuest demo = new DemoGuest(Context.ofProcess(console), Integer.parseInt(arguments[0]));
            for (int i = 1; i < arguments.length; i++) {
                demo.show(Role.parse(arguments[i]));
            }
        } catch (DoorbellException e) {
            console.err().println(e.getMessage());
            System.exit(1);
        }
    }

    @Override
    public void begin(String what) {
        context.print(Demo.BEGIN + what);
    }

    @Override
    public void done(String result) {
        context.print(Demo.DONE + result);
    }

    private void show(Role role) {
        PciDevice device = context.nic(role.nic().toString());
        step("taking " + device.address() + " from the kernel", () -> {
            context.binding().bind(device.address(), false);
            return "from " + device.driver().orElse("no driver") + " to vfio-pci";
        });
        NicReport report = drive(role);
        step("giving " + device.address() + " back", () -> {
            // Before the kernel's driver turns the device on again.
            closed(report, device.address());
            return "to " + context.binding().restore(device.address()).orElse("no driver");
        });
    }

    private NicReport drive(Role role) {
        String kernel = interfaceOf(role.kernel());
        begin("opening it");
        NicConfig config = NicConfig.defaults().withQueues(role.queues()).withReceiveOffloads(Offloads.NEEDS_CHECKSUM);
        try (Nic nic = context.open(role.nic().toString(), config)) {
            done(nic.model() + ", " + nic.macAddress());
            LinkState link = step("waiting for link", () -> nic.awaitLink(LINK));
            Pings pings = ping(nic, kernel);
            NicExchange exchange = exchange(nic, role.peer());
            TcpResult tcp = upload(nic, kernel);
            begin("sleeping until a frame comes, and none does");
            IdleTime idle = IdleTime.measure(nic, IDLE);
            done("CPU time " + idle);
            return NicReport.of(nic, link, pings, tcp, idle, exchange);
        }
    }

    private Pings ping(Nic nic, String kernel) {
        begin("answering ARP and the kernel's ping from " + kernel);
        try (KernelStation station = new KernelStation(kernel)) {
            Pings pings = new KernelPing(nic, station).run();
            done(pings + " answered");
            return pings;
        }
    }

    private TcpResult upload(Nic nic, String kernel) {
        begin("sending to it by TCP over " + (nic.queues() == 1 ? "a queue" : nic.queues() + " queues"));
        try (KernelStation station = new KernelStation(kernel)) {
            TcpResult tcp = new TcpUpload(nic, station).run();
            done(tcp.volume() + ", cut by " + tcp.cutter());
            return tcp;
        }
    }

    private String interfaceOf(PciAddress kernelNic) {
        return context.bus().find(kernelNic).interfaces().stream()
                .map(NetInterface::name)
                .findFirst()
                .orElseThrow(() -> new DoorbellException(kernelNic + " has no network interface to ping from"));
    }

    private NicExchange exchange(Nic nic, MacAddress peer) {
        NumberedExchange numbered =
                new NumberedExchange(peer.value(), nic.macAddress().value(), frames, frames, PeerExchange.WINDOW);
        NicExchange exchange = new NicExchange(nic, numbered);
        context.print(Demo.EXCHANGE + String.format("exchanging %,d frames each way", frames));
        exchange.run(2L * frames / WARM_UP_DIVISOR);
        done(String.format("%,d a second", Math.round(2 * frames / exchange.seconds())));
        return exchange;
    }

    private void closed(NicReport report, PciAddress address) {
        int command = ConfigSnapshot.of(context.bus(), address).read16(ConfigSpace.COMMAND);
        boolean quiesced = (command & ConfigSpace.COMMAND_BUS_MASTER) == 0;
        boolean released = LeakCheck.ofThisProcess().isEmpty();
        context.print(Demo.REPORT + report.closed(quiesced, released).toLine());
    }
}
