package io.doorbell.virtio.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.net.VirtioNic;
import io.doorbell.virtio.spec.Feature;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The driver on QEMU's virtio-net with nothing but its legacy interface. */
@Tag("qtest")
class LegacyPciTransportTest {

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final MacAddress FOREIGN = MacAddress.parse("52:54:00:00:00:99");
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final QtestMachine machine = QtestMachine.builder()
            .nic("virtio-net-pci", "disable-modern=on", "disable-legacy=off", "mac=" + MAC)
            .start();

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    private VirtioNic open(NicConfig config) {
        return VirtioNic.open("nic", new LegacyPciTransport(machine.open(0)), config);
    }

    private static byte[] frame(MacAddress to, int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        for (int i = 0; i < 6; i++) {
            bytes[i] = (byte) to.octet(i);
        }
        bytes[12] = (byte) 0x88;
        bytes[13] = (byte) 0xb5;
        return bytes;
    }

    private static void receive(VirtioNic nic, FrameBatch batch) {
        assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) == 1, PATIENCE))
                .as("a frame arrives")
                .isTrue();
    }

    @Test
    void agreesOnTheFirst32FeaturesOnly() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            assertThat(nic.model()).isEqualTo("virtio-net, legacy PCI, split rings");
            assertThat(nic.macAddress()).isEqualTo(MAC);
            assertThat(nic.linkState()).isEqualTo(new LinkState(true, 0, true));
            assertThat(nic.negotiation().negotiated() >>> 32).isZero();
            assertThat(nic.negotiation().has(Feature.VIRTIO_F_ANY_LAYOUT)).isTrue();
            machine.setLink(0, false);
            assertThat(nic.linkState()).isEqualTo(LinkState.DOWN);
        }
    }

    @Test
    void bouncesEveryFrameUnchangedRoundAndRoundItsRings() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            bounceRoundAndRound(nic);
        }
    }

    @Test
    void usesNoMoreOfItsRingsThanIsAskedFor() {
        try (VirtioNic nic = open(NicConfig.defaults().withRingSizes(64, 48))) {
            FramePool pool = nic.rxQueue(0).pool();
            assertThat(pool.buffers() - pool.available())
                    .as("that wait for frames")
                    .isEqualTo(64);
            bounceRoundAndRound(nic);
        }
    }

    private void bounceRoundAndRound(VirtioNic nic) {
        FrameBatch batch = new FrameBatch(1);
        // The device says how large its rings are: 256, or 1024 in later versions of QEMU.
        for (int i = 0; i < ringSize(nic, 0) * 9 / 4; i++) {
            byte[] sent = frame(MAC, 60 + i * 7 % 1455);
            machine.peer(0).send(sent);
            receive(nic, batch);
            assertThat(batch.frame(0).toByteArray()).isEqualTo(sent);
            assertThat(nic.txQueue(0).send(batch)).isEqualTo(1);
            assertThat(machine.peer(0).receive(PATIENCE)).isEqualTo(sent);
        }
        assertThat(BoundedWait.until(() -> nic.txQueue(0).reclaim() == 0, PATIENCE))
                .isTrue();
    }

    private static int ringSize(VirtioNic nic, int queue) {
        return nic.ability(RegisterDump.class).registers().stream()
                .filter(register -> register.name().equals("queue_size[" + queue + "]"))
                .findFirst()
                .orElseThrow()
                .value()
                .orElseThrow();
    }

    @Test
    void filtersFramesAndStartsAgain() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(1);
            nic.stop();
            nic.start();
            machine.peer(0).send(frame(FOREIGN, 60));
            machine.peer(0).send(frame(MAC, 61));
            receive(nic, batch);
            assertThat(batch.frame(0).toByteArray()).isEqualTo(frame(MAC, 61));
            batch.release();
            nic.promiscuous(true);
            machine.peer(0).send(frame(FOREIGN, 62));
            receive(nic, batch);
            assertThat(batch.frame(0).toByteArray()).isEqualTo(frame(FOREIGN, 62));
        }
    }

    @Test
    void showsItsRegisters() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            assertThat(nic.ability(RegisterDump.class).registers())
                    .anySatisfy(register -> {
                        assertThat(register.name()).isEqualTo("device_status");
                        assertThat(register.decoded()).isEqualTo("ACKNOWLEDGE DRIVER DRIVER_OK");
                    })
                    .anySatisfy(register -> {
                        assertThat(register.name()).isEqualTo("queue_size[2]");
                        assertThat(register.value()).isIn(OptionalInt.of(64), OptionalInt.of(1024));
                    });
        }
    }

    @Test
    void refusesADeviceThatWantsHeadersInBuffersOfTheirOwn() {
        assertThatThrownBy(() -> open(NicConfig.defaults().withoutFeatures("VIRTIO_F_ANY_LAYOUT")))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("VIRTIO_F_ANY_LAYOUT");
    }
}
