package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.MacAddress;
import io.doorbell.qemu.GuestMachine;
import io.doorbell.qemu.GuestProcess;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What a process leaves behind that is killed while its NIC is at work. */
class CrashIT {

    private static final int ENOUGH = 2000;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final CapturedConsole console = new CapturedConsole();

    @Test
    void opensAndExchangesFramesAfterTheLastOwnerWasKilledInTheMiddleOfTraffic() throws Exception {
        try (GuestMachine guest = GuestMachine.builder()
                .nic("igb", Lab.IGB_MAC, Lab.HUB)
                .nic("virtio-net-pci", Lab.KERNEL_MAC, Lab.HUB)
                .peer(Lab.HUB)
                .start()) {
            Lab.loadDrivers(guest);

            killInTheMiddleOfTraffic(guest);

            DemoResult.NicResult after =
                    new Demo(new Progress(console.console()), ENOUGH, Path.of("none")).exercise(guest);
            assertThat(after.pass()).as("%s", after).isTrue();
            assertThat(console.err()).contains("from vfio-pci to vfio-pci");
        }
    }

    private static void killInTheMiddleOfTraffic(GuestMachine guest) throws InterruptedException {
        int frames = 5_000_000;
        try (PeerExchange exchange = new PeerExchange(
                guest.peer(Lab.HUB),
                MacAddress.parse(Lab.IGB_MAC).value(),
                MacAddress.parse(Lab.PEER_MAC).value(),
                frames,
                new Progress(new CapturedConsole().console()))) {
            GuestProcess victim = guest.spawn(Demo.command(guest, frames));
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
        while (guest.peer(Lab.HUB).poll(Duration.ofMillis(200))) {
            // what was still on its way when the NIC died
        }
    }
}
