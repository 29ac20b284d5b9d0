package io.doorbell.tools;

import io.doorbell.dma.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.spi.NicProvider;
import io.doorbell.pci.NetInterface;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciDevice;
import io.doorbell.qemu.NumberedExchange;
import java.time.Duration;

/**
 * The guest's half of {@code nicctl demo}; {@link Demo} starts it and understands what it prints. A program of its own
 * and not a command of {@code nicctl}: where the processor is emulated, the parser of the command line alone takes
 * seconds to load.
 */
final class DemoGuest implements Steps {

    private static final Duration LINK = Duration.ofSeconds(30);
    private static final int PINGS = 5;
    private static final long WARM_UP_DIVISOR = 2;

    /** Of a network that is kept for examples (RFC 5737). */
    private static final String KERNEL_ADDRESS = "192.0.2.1";

    private static final String OUR_ADDRESS = "192.0.2.2";
    private static final int OUR_ADDRESS_BITS = 0xc000_0202;

    private final Context context;

    private final String address;
    private final String kernelNic;
    private final MacAddress peer;
    private final int frames;

    private DemoGuest(Context context, String address, String kernelNic, MacAddress peer, int frames) {
        this.context = context;
        this.address = address;
        this.kernelNic = kernelNic;
        this.peer = peer;
        this.frames = frames;
    }

    /** The arguments of {@link #main}. */
    static String[] arguments(PciAddress nic, PciAddress kernelNic, MacAddress peer, int frames) {
        return new String[] {nic.toString(), kernelNic.toString(), peer.toString(), String.valueOf(frames)};
    }

    public static void main(String[] arguments) {
        Console console = Console.ofProcess();
        try {
            new DemoGuest(
                            Context.ofProcess(console),
                            arguments[0],
                            arguments[1],
                            MacAddress.parse(arguments[2]),
                            Integer.parseInt(arguments[3]))
                    .run();
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

    private void run() {
        PciDevice device = context.nic(address);
        String kernel = context.nic(kernelNic).interfaces().stream()
                .map(NetInterface::name)
                .findFirst()
                .orElseThrow(() -> new DoorbellException(kernelNic + " has no network interface to ping from"));
        String before = device.driver().orElse("no driver");
        step("taking " + device.address() + " from the kernel", () -> {
            context.binding().bind(device.address(), false);
            return "from " + before + " to vfio-pci";
        });
        begin("opening it");
        try (Nic nic = context.open(address)) {
            done(nic.model() + ", " + nic.macAddress());
            LinkState link = step("waiting for link", () -> nic.awaitLink(LINK));
            int answered = answerPings(nic, kernel);
            Program.run("ip", "link", "set", kernel, "down");
            context.print(Demo.REPORT + exchange(nic, link, answered).toLine());
        }
    }

    /** The kernel's own stack asks, from another NIC on the same hub. */
    private int answerPings(Nic nic, String kernel) {
        Program.run("ip", "address", "flush", "dev", kernel);
        Program.run("ip", "address", "add", KERNEL_ADDRESS + "/24", "dev", kernel);
        Program.run("ip", "link", "set", kernel, "up");
        begin("answering ARP and the kernel's ping from " + kernel);
        PingResponder responder = new PingResponder(nic.macAddress(), OUR_ADDRESS_BITS);
        FrameBatch batch = new FrameBatch(32);
        int answered;
        try (Program ping = Program.start(
                "ping", "-c", String.valueOf(PINGS), "-i", "0.2", "-w", "20", "-I", kernel, OUR_ADDRESS)) {
            while (ping.isRunning()) {
                nic.rxQueue(0).receive(batch);
                for (int i = batch.size() - 1; i >= 0; i--) {
                    if (!responder.answer(batch.frame(i))) {
                        batch.release(i);
                    }
                }
                nic.txQueue(0).send(batch);
                batch.release();
                Program.nap();
            }
            answered = PingOutput.answered(ping.output());
        }
        done(answered + " of " + PINGS + " answered");
        return answered;
    }

    private GuestReport exchange(Nic nic, LinkState link, int answered) {
        NumberedExchange numbered =
                new NumberedExchange(peer.value(), nic.macAddress().value(), frames, frames, PeerExchange.WINDOW);
        NicExchange loop = new NicExchange(nic, numbered);
        context.print(Demo.EXCHANGE + String.format("exchanging %,d frames each way", frames));
        loop.run(2L * frames / WARM_UP_DIVISOR);
        done(String.format("%,d a second", Math.round(2 * frames / loop.seconds())));
        return new GuestReport(
                NicProvider.forName(nic.name()).driver(),
                nic.model(),
                nic.name(),
                nic.macAddress().toString(),
                link.toString(),
                PINGS,
                answered,
                loop.seconds(),
                numbered.counts(),
                loop.measuredFrames(),
                loop.allocatedBytes(),
                loop.heapCollections());
    }
}
