package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.net.VirtioNic;
import io.doorbell.virtio.queue.NicEnd;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Our back-end, with QEMU as the front-end: it passes on to us the rings that a driver has set up in a virtio-net-pci. The
 * driver is ours, too, since no guest is needed so.
 */
@Tag("qtest")
@ParameterizedClass
@ValueSource(strings = {"packed=off", "packed=on", "packed=on,indirect_desc=off", "packed=off,event_idx=off"})
class VhostBackendQemuTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long FRAMES = 3000;
    private static final long DRIVER = 0x02_00_00_00_00_01L;
    private static final long BACK_END = 0x02_00_00_00_00_02L;

    /**
     * Programmable attribute maps of the host bridge, a byte for the 64 KiB below 1 MiB and then one for 32 KiB each from
     * 768 KiB on, and what makes RAM of them that can be read and written.
     */
    private static final int PAM0 = 0x90;

    private static final int PAM_BYTES = 7;
    private static final int RAM = 0x33;

    private final String properties;

    @TempDir
    private Path dir;

    private Nic back;
    private QtestMachine machine;
    private VirtioNic driver;

    VhostBackendQemuTest(String properties) {
        this.properties = properties;
    }

    @BeforeEach
    void start() {
        openBackEnd();
        startMachine();
    }

    @AfterEach
    void end() {
        driver.close();
        machine.close();
        back.close();
    }

    private void openBackEnd() {
        back = Nic.open("vhost-user-backend:" + dir.resolve("vhost.sock"), NicConfig.defaults());
    }

    private void startMachine() {
        machine = QtestMachine.builder()
                .nic("virtio-net-pci", ("disable-legacy=on," + properties).split(","))
                .onVhostUser(dir.resolve("vhost.sock"))
                .start();
        driver = VirtioNic.open("driver", new ModernPciTransport(machine.open(0)), NicConfig.defaults());
    }

    private void exchange() {
        exchange(0);
    }

    /** @param strays frames that may come beside those that are numbered */
    private void exchange(int strays) {
        back.awaitLink(PATIENCE);
        try (NicEnd first = new NicEnd(driver, 0, new NumberedExchange(DRIVER, BACK_END, FRAMES, FRAMES, 64));
                NicEnd second = new NicEnd(back, 0, new NumberedExchange(BACK_END, DRIVER, FRAMES, FRAMES, 64))) {
            NicEnd.run(first, second);
            assertThat(first.counts().received()).as(machine.log()).isEqualTo(FRAMES);
            assertThat(second.counts().received()).isEqualTo(FRAMES);
            assertThat(first.counts().corrupt()).isZero();
            assertThat(second.counts().corrupt()).isLessThanOrEqualTo(strays);
        }
    }

    @Test
    void exchangesFramesWithADriverThatComesAndGoes() {
        exchange();
        driver.stop();
        driver.start();
        exchange();
        driver.close();
        driver = VirtioNic.open("driver", new ModernPciTransport(machine.open(0)), NicConfig.defaults());
        exchange();
        assertThat(driver.model()).endsWith(properties.contains("packed=on") ? "packed rings" : "split rings");
        assertThat(back.statistics().details()).containsEntry("sessions", 1L);
    }

    @Test
    void servesTheNextQemu() {
        exchange();
        machine.close();
        assertThat(BoundedWait.until(() -> !back.linkState().up(), PATIENCE)).isTrue();
        startMachine();
        exchange();
    }

    /** QEMU does not know where the rings are, and the driver does not know that anything happened. */
    @Test
    void goesOnAfterItWasStartedAgain() {
        exchange();
        for (int i = 0; i < 3; i++) {
            // Somewhere in the ring, and with frames on their way, some of which QEMU drops while the link is down.
            FrameBatch batch = new FrameBatch(7 + i);
            driver.rxQueue(0).pool().allocate(batch, 7 + i);
            for (int j = 0; j < batch.size(); j++) {
                batch.frame(j).length(60);
            }
            assertThat(driver.txQueue(0).send(batch)).isEqualTo(7 + i);
            back.close();
            openBackEnd();
            exchange(7 + i);
        }
    }

    /**
     * RAM is seen where a ROM was, and no longer. The first step joins it with the RAM that the rings are in: QEMU takes
     * that region away and adds a larger one, while others stay.
     */
    @Test
    void goesOnWhenItsMemoryIsMovedAbout() {
        exchange();
        ConfigSpace bridge = machine.hostBridge();
        for (int value : new int[] {RAM, 0}) {
            for (int i = 0; i < PAM_BYTES; i++) {
                bridge.write8(PAM0 + i, value);
                exchange();
            }
        }
        assertThat(back.statistics().details()).containsEntry("sessions", 1L);
    }
}
