package io.doorbell.igb.nic;

import static io.doorbell.igb.spec.IgbRegisters.LEDCTL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.Loopback;
import io.doorbell.frame.ability.LoopbackPoint;
import io.doorbell.frame.ability.Nvm;
import io.doorbell.frame.ability.NvmChecksum;
import io.doorbell.frame.ability.NvmField;
import io.doorbell.frame.ability.PortLed;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What QEMU's igb says of itself. */
@Tag("qtest")
class IgbDiagnosisTest {

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final MacAddress PEER = MacAddress.parse("52:54:00:65:43:21");
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final QtestMachine machine =
            QtestMachine.builder().nic("igb", "mac=" + MAC).virtualTime().start();

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    private IgbNic open() {
        return IgbNic.open("0000:00:04.0", machine.open(0), IgbModel.I82576, NicConfig.defaults());
    }

    @Test
    void readsTheNvmWhileTheNicRuns() {
        try (IgbNic nic = open()) {
            nic.awaitLink(PATIENCE);
            Nvm nvm = nic.ability(Nvm.class);
            assertThat(nvm.words()).isEqualTo(256);
            assertThat(nvm.read(0, 3)).containsExactly(0x5452, 0x1200, 0x5634);
            assertThat(nvm.checksums()).containsExactly(new NvmChecksum("all ports", 0, 0x3F, 0xBABA, 0xBABA));
            assertThat(nvm.fields())
                    .contains(
                            new NvmField("MAC address of port 0", 0, MAC.toString()),
                            new NvmField("image version", 5, "2.1.0"),
                            new NvmField("PBA number", 8, "1040FF-0FF"),
                            new NvmField("device id", 0x0D, "0x10c9"));
            assertThatThrownBy(() -> nvm.read(250, 7))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("the NVM of 0000:00:04.0 has words 0x0 to 0xff");
            nic.stop();
            assertThat(nvm.read(0x0D, 1)).containsExactly(0x10C9);
        }
    }

    private static byte[] frame(MacAddress to, int seed) {
        byte[] bytes = new byte[100];
        new Random(seed).nextBytes(bytes);
        for (int i = 0; i < 6; i++) {
            bytes[i] = (byte) to.octet(i);
            bytes[6 + i] = (byte) MAC.octet(i);
        }
        bytes[12] = (byte) 0x88;
        bytes[13] = (byte) 0xb5;
        return bytes;
    }

    private static void send(IgbNic nic, byte[] frame) {
        FrameBatch batch = new FrameBatch(1);
        nic.pool().allocate(batch, 1);
        batch.frame(0).copyFrom(frame);
        assertThat(nic.txQueue(0).send(batch)).isEqualTo(1);
    }

    private static void receives(IgbNic nic, byte[] frame) {
        FrameBatch batch = new FrameBatch(1);
        assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) == 1, PATIENCE))
                .isTrue();
        assertThat(batch.frame(0).toByteArray()).isEqualTo(frame);
        batch.release();
    }

    @ParameterizedTest
    @EnumSource
    void sendsFramesBackUntilItIsToldNotTo(LoopbackPoint point) {
        try (IgbNic nic = open()) {
            nic.awaitLink(PATIENCE);
            Loopback loopback = nic.ability(Loopback.class);
            List<Runnable> ends = List.of(
                    loopback::stop,
                    () -> {
                        nic.stop();
                        nic.start();
                    },
                    nic::reset);
            for (int i = 0; i < ends.size(); i++) {
                loopback.start(point);
                nic.awaitLink(PATIENCE);
                send(nic, frame(MAC, i));
                receives(nic, frame(MAC, i));

                ends.get(i).run();
                nic.awaitLink(PATIENCE);
                send(nic, frame(PEER, i));
                assertThat(machine.peer(0).receive(PATIENCE))
                        .as("the first that leaves")
                        .isEqualTo(frame(PEER, i));
            }
            loopback.stop();
            assertThat(nic.linkState().up()).as("nothing was to be done").isTrue();
        }
    }

    @Test
    void sendsNothingBackWhileItIsStopped() {
        try (IgbNic nic = open()) {
            nic.stop();
            Loopback loopback = nic.ability(Loopback.class);
            assertThatThrownBy(() -> loopback.start(LoopbackPoint.MAC))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("0000:00:04.0 is stopped")
                    .hasMessageContaining("Nic.start");
            loopback.stop();
        }
    }

    @Test
    void blinksThroughResetAndStopAndIsAsBeforeThen() throws Exception {
        try (IgbNic nic = open()) {
            PortLed led = nic.ability(PortLed.class);
            int before = nic.registerFile().read(LEDCTL);
            CompletableFuture<Void> blinking = CompletableFuture.runAsync(
                    () -> led.blink(Duration.ofDays(1)),
                    task -> Thread.ofPlatform().daemon().start(task));
            assertThat(BoundedWait.until(() -> nic.registerFile().read(LEDCTL) != before, PATIENCE))
                    .isTrue();
            int meanwhile = nic.registerFile().read(LEDCTL);
            assertThat(meanwhile >>> 24)
                    .as("the last of four: on, and blinking")
                    .isEqualTo(0x8E);
            nic.reset();
            assertThat(nic.registerFile().read(LEDCTL)).isEqualTo(meanwhile);
            nic.stop();
            assertThat(nic.registerFile().read(LEDCTL)).isEqualTo(meanwhile);
            led.blink(Duration.ZERO);
            blinking.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(nic.registerFile().read(LEDCTL)).isEqualTo(before);
        }
    }
}
