package io.doorbell.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.MacAddress;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestMachineBuilder;
import io.doorbell.qemu.guest.GuestProcess;
import io.doorbell.tools.lab.Lab;
import io.doorbell.tools.lab.LabNic;
import io.doorbell.tools.text.CapturedConsole;
import io.doorbell.tools.text.Progress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a process leaves behind that is killed while its NIC is at work. */
@Tag("guest")
class CrashIT {

    private static final int ENOUGH = 2000;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    /** The demo has one with split rings. */
    private static final LabNic PACKED = new LabNic("virtio", "virtio-net-pci,packed=on", 1, 1);

    private final CapturedConsole console = new CapturedConsole();

    @Test
    void opensAndExchangesFramesAfterTheLastOwnerWasKilledInTheMiddleOfTraffic() throws Exception {
        List<LabNic> nics = List.of(Lab.IGB, PACKED);
        GuestMachineBuilder builder = GuestMachine.builder();
        nics.forEach(nic -> nic.plugInto(builder));
        try (GuestMachine guest = builder.start()) {
            Lab.loadDrivers(guest);

            for (LabNic nic : nics) {
                killInTheMiddleOfTraffic(guest, nic);
            }

            List<Demo.Shown> shown = nics.stream()
                    .map(nic -> new Demo.Shown(nic, Path.of("none"), true))
                    .toList();
            DemoResult after = new Demo(new Progress(console.console()), ENOUGH, shown).exercise(guest);
            assertThat(after.pass()).as("%s", after).isTrue();
            assertThat(console.err()).containsSubsequence("from vfio-pci to vfio-pci", "from vfio-pci to vfio-pci");
            assertThat(after.nics())
                    .extracting(nic -> nic.report().model())
                    .containsExactly("Intel 82576", "virtio-net, modern PCI, packed rings");
        }
    }

    private static void killInTheMiddleOfTraffic(GuestMachine guest, LabNic nic) throws InterruptedException {
        int frames = 5_000_000;
        try (PeerExchange exchange = new PeerExchange(
                guest.peer(nic.hub()),
                MacAddress.parse(nic.mac()).value(),
                nic.peerMac().value(),
                frames,
                new Progress(new CapturedConsole().console()),
                () -> {})) {
            GuestProcess victim = guest.spawn(Demo.command(guest, frames, List.of(nic)));
            victim.awaitLine(Demo.EXCHANGE, PATIENCE);
            exchange.start();
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (exchange.received() < ENOUGH) {
                assertThat(System.nanoTime())
                        .as("%d frames came in time", ENOUGH)
                        .isLessThan(deadline);
                Thread.sleep(5);
            }
            assertThat(victim.isAlive()).isTrue();
            victim.kill();
            // 128 and the signal's number.
            assertThat(victim.await(PATIENCE).exit()).isEqualTo(128 + 9);
        }
        while (guest.peer(nic.hub()).poll(Duration.ofMillis(200))) {
            // what was still on its way when the NIC died
        }
    }
}
