package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.header.RxBuffers;
import io.doorbell.virtio.spec.DeviceStatus;
import io.doorbell.virtio.spec.QueueAddresses;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** How the driver gets over a device that has given up, and over a queue that has stopped, on QEMU's virtio-net. */
@Tag("qtest")
@ParameterizedClass
@EnumSource
class RecoveryTest {

    enum Device {
        SPLIT(),
        SPLIT_IN_ORDER("in_order=on"),
        PACKED("packed=on"),
        PACKED_IN_ORDER("packed=on", "in_order=on");

        private final List<String> properties;

        Device(String... properties) {
            this.properties = List.of(properties);
        }

        boolean isPacked() {
            return properties.contains("packed=on");
        }

        String[] with(String... more) {
            List<String> all = new ArrayList<>(List.of("disable-legacy=on", "mac=" + MAC));
            all.addAll(properties);
            all.addAll(List.of(more));
            return all.toArray(String[]::new);
        }
    }

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int SIZE = 64;
    private static final NicConfig CONFIG = NicConfig.defaults().withRingSizes(SIZE, SIZE);

    private final Device device;
    private final QtestMachine machine;
    private final FramePeer peer;

    RecoveryTest(Device device) {
        this.device = device;
        this.machine =
                QtestMachine.builder().nic("virtio-net-pci", device.with()).start();
        this.peer = machine.peer(0);
    }

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    private VirtioNic open(NicConfig config) {
        return VirtioNic.open("0000:00:04.0", new ModernPciTransport(machine.open(0)), config);
    }

    private static void fill(VirtioNic nic, FrameBatch batch, int frames, int first) {
        nic.rxQueue(0).pool().allocate(batch, frames);
        for (int i = 0; i < frames; i++) {
            batch.frame(i).length(60);
            batch.frame(i).setMac(0, MAC);
            batch.frame(i).setMac(6, MAC);
            batch.frame(i).setShort(12, (short) 0x88b5);
            batch.frame(i).setInt(14, first + i);
        }
    }

    /** Frames with numbers go out and come back, all of them, in order, more often than the rings have descriptors. */
    private void exchangeNumberedFrames(VirtioNic nic) {
        FrameBatch batch = new FrameBatch(16);
        for (int first = 0; first < 3 * SIZE; first += 16) {
            fill(nic, batch, 16, first);
            while (!batch.isEmpty()) {
                nic.txQueue(0).send(batch);
            }
            for (int i = 0; i < 16; i++) {
                peer.send(peer.receive(PATIENCE));
            }
            assertThat(BoundedWait.until(
                            () -> {
                                nic.rxQueue(0).receive(batch);
                                return batch.size() == 16;
                            },
                            PATIENCE))
                    .isTrue();
            for (int i = 0; i < 16; i++) {
                assertThat(batch.frame(i).getInt(14)).isEqualTo(first + i);
            }
            batch.release();
        }
    }

    private static void assertThatAllBuffersCameBack(VirtioNic nic) {
        FramePool pool = nic.rxQueue(0).pool();
        nic.stop();
        assertThat(pool.available()).isEqualTo(pool.buffers());
        FrameBatch all = new FrameBatch(pool.buffers());
        pool.allocate(all, pool.buffers());
        assertThat(all.size()).isEqualTo(pool.buffers());
        // Each of them once.
        List<Long> positions = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            positions.add(all.frame(i).position());
        }
        assertThat(positions).doesNotHaveDuplicates();
        all.release();
    }

    /** Gives the device a receive descriptor that cannot be, after which it does nothing any more but wait for a reset. */
    private void breakTheDevice(VirtioNic nic) {
        QueueAddresses queue = nic.addresses(0);
        if (device.isPacked()) {
            machine.ram().set(ValueLayout.JAVA_INT, queue.descriptorArea() + 8, 0); // without room
        } else {
            machine.ram().set(ValueLayout.JAVA_SHORT, queue.driverArea() + 4, (short) 9999); // number 9999
        }
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 6, (byte) 0xff);
        peer.send(frame);
        assertThat(BoundedWait.until(() -> (statusOf(nic) & DeviceStatus.DEVICE_NEEDS_RESET) != 0, PATIENCE))
                .isTrue();
    }

    private static int statusOf(VirtioNic nic) {
        return nic.ability(RegisterDump.class).registers().stream()
                .filter(register -> register.name().equals("device_status"))
                .findFirst()
                .orElseThrow()
                .value()
                .orElseThrow();
    }

    private static BrokenDeviceException untilItBreaks(Runnable poll) {
        BrokenDeviceException[] seen = {null};
        boolean broke = BoundedWait.until(
                () -> {
                    try {
                        for (int i = 0; i < RxBuffers.IDLE_POLL_LIMIT; i++) {
                            poll.run();
                        }
                        return false;
                    } catch (BrokenDeviceException e) {
                        seen[0] = e;
                        return true;
                    }
                },
                PATIENCE);
        assertThat(broke).as("the queue notices").isTrue();
        return seen[0];
    }

    @Test
    void theThreadThatReceivesNoticesThatTheDeviceHasGivenUpAndAResetHelps() {
        try (VirtioNic nic = open(CONFIG)) {
            breakTheDevice(nic);
            FrameBatch batch = new FrameBatch(4);
            assertThat(untilItBreaks(() -> nic.rxQueue(0).receive(batch)))
                    .hasMessageContaining("asks to be reset")
                    .hasMessageContaining("DEVICE_NEEDS_RESET")
                    .hasMessageContaining("use Nic.reset");
            assertThatThrownBy(() -> nic.ability(QueueReset.class).resetRxQueue(0))
                    .as("one queue cannot be reset on a device that has given up")
                    .isInstanceOf(BrokenDeviceException.class);
            nic.reset();
            exchangeNumberedFrames(nic);
            assertThatAllBuffersCameBack(nic);
        }
    }

    @Test
    void theThreadThatSendsNoticesThatTheDeviceHasGivenUpAndAResetHelps() {
        try (VirtioNic nic = open(CONFIG)) {
            breakTheDevice(nic);
            FrameBatch batch = new FrameBatch(SIZE + 1);
            fill(nic, batch, SIZE + 1, 0);
            assertThat(nic.txQueue(0).send(batch)).isEqualTo(SIZE);
            assertThat(untilItBreaks(() -> nic.txQueue(0).send(batch))).hasMessageContaining("DEVICE_NEEDS_RESET");
            nic.reset();
            assertThat(nic.txQueue(0).send(batch)).isEqualTo(1);
            assertThat(peer.receive(PATIENCE)).hasSize(60);
            exchangeNumberedFrames(nic);
            assertThatAllBuffersCameBack(nic);
        }
    }

    @Test
    void framesThatWereOnTheirWayCountAsErrors() {
        try (VirtioNic nic = open(CONFIG)) {
            exchangeNumberedFrames(nic);
            long sent = nic.statistics().txFrames();
            long bytes = nic.statistics().txBytes();
            FrameBatch batch = new FrameBatch(16);
            breakTheDevice(nic);
            fill(nic, batch, 5, 0);
            assertThat(nic.txQueue(0).send(batch)).isEqualTo(5);
            nic.reset();
            NicStatistics counted = nic.statistics();
            assertThat(counted.txFrames()).isEqualTo(sent);
            assertThat(counted.txErrors()).isEqualTo(5);
            assertThat(counted.txBytes()).isEqualTo(bytes);
            assertThat(counted.details()).containsEntry("tx.lost", 5L);
            exchangeNumberedFrames(nic);
            assertThatAllBuffersCameBack(nic);
        }
    }

    @Test
    void setsUpTheTransmitQueueAloneWithItsFramesDropped() {
        try (VirtioNic nic = open(CONFIG)) {
            exchangeNumberedFrames(nic);
            nic.ability(QueueReset.class).resetTxQueue(0);
            exchangeNumberedFrames(nic);
            nic.ability(QueueReset.class).resetRxQueue(0);
            exchangeNumberedFrames(nic);
            assertThatAllBuffersCameBack(nic);
        }
    }

    @Test
    void aNicThatWasStoppedRunsAfterAReset() {
        try (VirtioNic nic = open(CONFIG)) {
            nic.stop();
            assertThatThrownBy(() -> nic.ability(QueueReset.class).resetTxQueue(0))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("is stopped");
            nic.reset();
            exchangeNumberedFrames(nic);
            nic.reset();
            nic.reset();
            exchangeNumberedFrames(nic);
        }
    }

    @Test
    void saysThatADeviceCannotResetOneQueue() {
        try (VirtioNic nic = open(CONFIG.withoutFeatures("VIRTIO_F_RING_RESET"))) {
            assertThatThrownBy(() -> nic.ability(QueueReset.class).resetRxQueue(0))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("VIRTIO_F_RING_RESET is not in use")
                    .hasMessageContaining("left out by NicConfig.withoutFeatures")
                    .hasMessageContaining("use Nic.reset");
        }
    }
}
