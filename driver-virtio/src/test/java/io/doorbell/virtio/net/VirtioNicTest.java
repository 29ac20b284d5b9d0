package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.event.EventRecording;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.qemu.qtest.QtestPciFunction;
import io.doorbell.virtio.header.RxBuffers;
import io.doorbell.virtio.queue.PackedRing;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.QueueAddresses;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver on QEMU's virtio-net, which judges it, over every layout of rings that QEMU has. */
@Tag("qtest")
@ParameterizedClass
@EnumSource
class VirtioNicTest {

    /** What QEMU is told to offer. */
    enum Device {
        SPLIT(),
        SPLIT_IN_ORDER("in_order=on"),
        SPLIT_WITHOUT_EVENT_INDEX("event_idx=off"),
        SPLIT_LARGE("rx_queue_size=1024"),
        SPLIT_PLAIN(
                "event_idx=off", "indirect_desc=off", "mrg_rxbuf=off", "queue_reset=off", "ctrl_vq=off", "vectors=0"),
        PACKED("packed=on"),
        PACKED_IN_ORDER("packed=on", "in_order=on"),
        PACKED_WITHOUT_EVENT_INDEX("packed=on", "event_idx=off"),
        PACKED_LARGE("packed=on", "rx_queue_size=1024");

        private final List<String> properties;

        Device(String... properties) {
            this.properties = List.of(properties);
        }

        boolean isPacked() {
            return properties.contains("packed=on");
        }

        boolean isInOrder() {
            return properties.contains("in_order=on");
        }

        /** The most entries that its receive queue has. */
        int rxQueueSize() {
            return properties.contains("rx_queue_size=1024") ? 1024 : 256;
        }

        String[] with(String... more) {
            List<String> all = new ArrayList<>(List.of("disable-legacy=on", "mac=" + MAC));
            all.addAll(properties);
            all.addAll(List.of(more));
            return all.toArray(String[]::new);
        }
    }

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final MacAddress PEER = MacAddress.parse("52:54:00:65:43:21");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String NAME = "0000:00:04.0";

    private final Device device;
    private final QtestMachine machine;
    private final FramePeer peer;

    VirtioNicTest(Device device) {
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
        return open(machine, 0, config);
    }

    private static VirtioNic open(QtestMachine machine, int nic, NicConfig config) {
        return VirtioNic.open(NAME, new ModernPciTransport(machine.open(nic)), config);
    }

    private static byte[] frame(MacAddress to, int length, int seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        for (int i = 0; i < 6; i++) {
            bytes[i] = (byte) to.octet(i);
            bytes[6 + i] = (byte) PEER.octet(i);
        }
        bytes[12] = (byte) 0x88;
        bytes[13] = (byte) 0xb5;
        return bytes;
    }

    private static void receive(VirtioNic nic, FrameBatch batch, int frames) {
        assertThat(BoundedWait.until(
                        () -> {
                            nic.rxQueue(0).receive(batch);
                            return batch.size() >= frames;
                        },
                        PATIENCE))
                .as("%d frames arrive, not %d", frames, batch.size())
                .isTrue();
    }

    @Test
    void usesWhatTheDeviceOffersAndNothingElse() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            Features features = nic.negotiation();
            assertThat(features.negotiated() & ~features.offered()).isZero();
            assertThat(features.has(Feature.VIRTIO_F_VERSION_1)).isTrue();
            assertThat(features.has(Feature.VIRTIO_F_RING_PACKED)).isEqualTo(device.isPacked());
            assertThat(features.has(Feature.VIRTIO_F_IN_ORDER)).isEqualTo(device.isInOrder());
            assertThat(nic.macAddress()).isEqualTo(MAC);
            assertThat(nic.model())
                    .isEqualTo("virtio-net, modern PCI, " + (device.isPacked() ? "packed" : "split") + " rings");
        }
    }

    @Test
    void seesTheLinkGoDownAndComeUp() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            assertThat(nic.awaitLink(PATIENCE)).isEqualTo(new LinkState(true, 0, true));
            machine.setLink(0, false);
            assertThat(nic.linkState()).isEqualTo(LinkState.DOWN);
            assertThatThrownBy(() -> nic.awaitLink(Duration.ofMillis(50)))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("waited 50 ms for link on " + NAME);
            machine.setLink(0, true);
            assertThat(nic.awaitLink(PATIENCE).up()).isTrue();
        }
    }

    @Test
    void receivesExactlyWhatThePeerSent() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(8);
            for (int length : new int[] {60, 61, 64, 127, 128, 1000, 1513, 1514, 1518}) {
                byte[] sent = frame(MAC, length, length);
                peer.send(sent);
                receive(nic, batch, 1);
                assertThat(batch.frame(0).toByteArray()).isEqualTo(sent);
                batch.release();
            }
        }
    }

    @Test
    void sendsExactlyWhatTheApplicationWrote() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(8);
            for (int length : new int[] {14, 59, 60, 61, 64, 127, 128, 1000, 1513, 1514, 1518, 2048}) {
                byte[] bytes = frame(PEER, length, length);
                nic.rxQueue(0).pool().allocate(batch, 1);
                batch.frame(0).copyFrom(bytes);
                assertThat(nic.txQueue(0).send(batch)).isEqualTo(1);
                assertThat(batch.isEmpty()).isTrue();
                assertThat(peer.receive(PATIENCE)).isEqualTo(bytes);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 11, 12, 50, 64, 200})
    void sendsFramesWhereverTheyStartInTheirBuffers(int headroom) {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(1);
            byte[] bytes = frame(PEER, 300, headroom);
            nic.rxQueue(0).pool().allocate(batch, 1);
            Frame frame = batch.frame(0);
            frame.length(500);
            frame.moveStart(headroom - FramePool.HEADROOM);
            frame.copyFrom(bytes);
            assertThat(nic.txQueue(0).send(batch)).isEqualTo(1);
            assertThat(peer.receive(PATIENCE)).isEqualTo(bytes);
        }
    }

    @Test
    void sendsFramesThatItReceivedWithoutACopy() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(8);
            for (int i = 0; i < 8; i++) {
                peer.send(frame(MAC, 100 + i, i));
            }
            receive(nic, batch, 8);
            while (!batch.isEmpty()) {
                nic.txQueue(0).send(batch);
            }
            for (int i = 0; i < 8; i++) {
                assertThat(peer.receive(PATIENCE)).isEqualTo(frame(MAC, 100 + i, i));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 13, 2101, 2112})
    void refusesFramesOfImpossibleLengthAndTakesNoneOfTheBatch(int length) {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(3);
            FramePool pool = nic.rxQueue(0).pool();
            int before = pool.available();
            pool.allocate(batch, 3);
            batch.frame(0).copyFrom(frame(PEER, 60, 1));
            batch.frame(1).copyFrom(frame(PEER, 60, 2));
            batch.frame(2).moveStart(-FramePool.HEADROOM);
            batch.frame(2).length(length);
            assertThatThrownBy(() -> nic.txQueue(0).send(batch))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("cannot send a frame of " + length + " bytes");
            assertThat(batch.size()).isEqualTo(3);
            assertThat(nic.txQueue(0).reclaim()).isZero();
            batch.release(2);
            // The others are as good as before, and the device has not seen them yet.
            assertThat(nic.txQueue(0).send(batch)).isEqualTo(2);
            assertThat(peer.receive(PATIENCE)).isEqualTo(frame(PEER, 60, 1));
            assertThat(peer.receive(PATIENCE)).isEqualTo(frame(PEER, 60, 2));
            assertThat(BoundedWait.until(() -> nic.txQueue(0).reclaim() == 0, PATIENCE))
                    .isTrue();
            assertThat(pool.available()).isEqualTo(before);
        }
    }

    @Test
    void refusesAFrameOfAPoolThatTheDeviceCannotReach() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FramePool foreign = FramePool.in(machine.allocate(FramePool.bytesFor(4, 2112)), 4, 2112);
            FrameBatch batch = new FrameBatch(1);
            foreign.allocate(batch, 1);
            batch.frame(0).length(60);
            assertThatThrownBy(() -> nic.txQueue(0).send(batch))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("not one that this NIC can reach")
                    .hasMessageContaining("NicConfig.withPool");
            assertThat(batch.size()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8, 64, 100, 129, 256, 1024})
    void keepsOrderAndLosesNothingRoundAndRoundRingsOfEverySize(int size) {
        assumeTrue(device.isPacked() || Integer.bitCount(size) == 1);
        try (VirtioNic nic = open(NicConfig.defaults().withRingSizes(size, size))) {
            int received = Math.min(size, device.rxQueueSize());
            FrameBatch batch = new FrameBatch(Math.min(24, received));
            FramePool pool = nic.rxQueue(0).pool();
            int before = pool.available();
            int rounds = 3 * size / batch.capacity() + 1;
            for (int round = 0; round < rounds; round++) {
                // Bounce a batch: sent by us, returned by the peer.
                pool.allocate(batch, batch.capacity());
                for (int i = 0; i < batch.size(); i++) {
                    batch.frame(i).copyFrom(frame(MAC, 60 + i, round * 100 + i));
                }
                while (!batch.isEmpty()) {
                    nic.txQueue(0).send(batch);
                }
                for (int i = 0; i < batch.capacity(); i++) {
                    peer.send(peer.receive(PATIENCE));
                }
                receive(nic, batch, batch.capacity());
                for (int i = 0; i < batch.size(); i++) {
                    assertThat(batch.frame(i).toByteArray()).isEqualTo(frame(MAC, 60 + i, round * 100 + i));
                }
                batch.release();
            }
            assertThat(BoundedWait.until(() -> nic.txQueue(0).reclaim() == 0, PATIENCE))
                    .isTrue();
            // Up to a bulk of receive descriptors waits for buffers.
            assertThat(pool.available()).isBetween(before, before + RxBuffers.refillThreshold(received));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void saysWhichRingSizesThereAre(int size) {
        assertThatThrownBy(() -> open(NicConfig.defaults().withRingSizes(256, size)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining(size + ": choose such a size with NicConfig.withRingSizes");
    }

    @Test
    void refusesAPoolThatIsTooSmallForItsRings() {
        FramePool pool = FramePool.in(machine.allocate(FramePool.bytesFor(511, 2112)), 511, 2112);
        assertThatThrownBy(
                        () -> open(NicConfig.defaults().withRingSizes(256, 256).withPool(pool)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("511 buffers")
                .hasMessageContaining("512 descriptors");
    }

    @Test
    void refusesBuffersThatCannotHoldAFrame() {
        assertThatThrownBy(() -> open(NicConfig.defaults().withBufferSize(1500)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("1582 bytes")
                .hasMessageContaining("withBufferSize");
    }

    @Test
    void countsFramesAndBytesAcrossStops() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(1);
            for (int i = 0; i < 2; i++) {
                peer.send(frame(MAC, 100, i));
                receive(nic, batch, 1);
                nic.txQueue(0).send(batch);
                peer.receive(PATIENCE);
                NicStatistics statistics = nic.statistics();
                assertThat(statistics.rxFrames()).isEqualTo(i + 1);
                assertThat(statistics.txFrames()).isEqualTo(i + 1);
                assertThat(statistics.rxBytes()).isEqualTo(100L * (i + 1));
                assertThat(statistics.txBytes()).isEqualTo(100L * (i + 1));
                assertThat(statistics.details()).containsKeys("rx[0].kicks", "tx[0].kicks");
                nic.stop();
                nic.start();
            }
        }
    }

    @Test
    void startsAgainWithEmptyRingsAndAllBuffers() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FramePool pool = nic.rxQueue(0).pool();
            FrameBatch batch = new FrameBatch(4);
            peer.send(frame(MAC, 60, 1));
            receive(nic, batch, 1);
            nic.txQueue(0).send(batch);
            nic.stop();
            assertThat(pool.available()).isEqualTo(pool.buffers());
            assertThatThrownBy(() -> nic.rxQueue(0).receive(batch)).hasMessageContaining("is stopped");
            assertThatThrownBy(() -> nic.txQueue(0).send(batch)).hasMessageContaining("is stopped");
            nic.start();
            peer.send(frame(MAC, 99, 2));
            receive(nic, batch, 1);
            assertThat(batch.frame(0).toByteArray()).isEqualTo(frame(MAC, 99, 2));
        }
    }

    @Test
    void leavesTheDeviceQuietWhenItIsClosed() {
        VirtioNic nic = open(NicConfig.defaults());
        nic.close();
        nic.close();
        QtestPciFunction again = machine.open(0);
        ModernPciTransport transport = new ModernPciTransport(again);
        assertThat(transport.status()).isZero();
        assertThat(again.config().read16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER)
                .isZero();
        transport.close();
        try (VirtioNic second = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(1);
            peer.send(frame(MAC, 60, 7));
            receive(second, batch, 1);
        }
    }

    @Test
    void losesNothingWhenTheApplicationHoldsAllBuffers() {
        try (VirtioNic nic = open(NicConfig.defaults().withRingSizes(64, 64))) {
            FramePool pool = nic.rxQueue(0).pool();
            FrameBatch hoard = new FrameBatch(pool.buffers());
            pool.allocate(hoard, pool.buffers());
            assertThat(pool.available()).isZero();
            FrameBatch batch = new FrameBatch(16);
            for (int i = 0; i < 64; i++) {
                peer.send(frame(MAC, 60, i));
            }
            FrameBatch first = new FrameBatch(64);
            receive(nic, first, 64);
            assertThat(nic.rxQueue(0).receive(batch)).as("the ring has starved").isZero();
            peer.send(frame(MAC, 60, 64));
            hoard.release();
            receive(nic, batch, 1);
            assertThat(batch.frame(0).toByteArray()).isEqualTo(frame(MAC, 60, 64));
        }
    }

    @Test
    void showsTheCommonConfigurationAndChangesNothing() {
        try (VirtioNic nic = open(NicConfig.defaults().withRingSizes(128, 64))) {
            List<RegisterValue> registers = nic.ability(RegisterDump.class).registers();
            assertThat(value(registers, "device_status").decoded())
                    .isEqualTo("ACKNOWLEDGE DRIVER FEATURES_OK DRIVER_OK");
            assertThat(value(registers, "queue_size[0]").value()).hasValue(128);
            assertThat(value(registers, "queue_size[1]").value()).hasValue(64);
            assertThat(value(registers, "queue_enable[1]").value()).hasValue(1);
            assertThat(value(registers, "queue_msix_vector[0]").value()).hasValue(0xffff);
            assertThat(value(registers, "queue_msix_vector[1]").value()).hasValue(0xffff);
            assertThat(value(registers, "driver_feature[1]").decoded()).contains("VIRTIO_F_VERSION_1");
            assertThat(value(registers, "isr_status").value()).isEmpty();
            FrameBatch batch = new FrameBatch(1);
            peer.send(frame(MAC, 60, 7));
            receive(nic, batch, 1);
            nic.txQueue(0).send(batch);
            peer.receive(PATIENCE);
        }
    }

    private static RegisterValue value(List<RegisterValue> registers, String name) {
        return registers.stream()
                .filter(register -> register.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void leavesFeaturesThatItIsToldToLeave() {
        NicConfig config =
                NicConfig.defaults().withoutFeatures("VIRTIO_F_RING_PACKED", "VIRTIO_F_IN_ORDER", "VIRTIO_F_EVENT_IDX");
        try (VirtioNic nic = open(config)) {
            assertThat(nic.negotiation().has(Feature.VIRTIO_F_RING_PACKED)).isFalse();
            assertThat(nic.negotiation().has(Feature.VIRTIO_F_IN_ORDER)).isFalse();
            assertThat(nic.negotiation().has(Feature.VIRTIO_F_EVENT_IDX)).isFalse();
            FrameBatch batch = new FrameBatch(1);
            peer.send(frame(MAC, 60, 7));
            receive(nic, batch, 1);
            nic.txQueue(0).send(batch);
            assertThat(peer.receive(PATIENCE)).isEqualTo(frame(MAC, 60, 7));
        }
    }

    /** Writes a used entry as the device would, into position 0 of the receive queue. */
    private void claimUsed(QueueAddresses queue, int id, int length) {
        if (device.isPacked()) {
            long word = PackedRing.USED_AT_FIRST | (long) id << 32 | Integer.toUnsignedLong(length);
            machine.ram().set(ValueLayout.JAVA_LONG, queue.descriptorArea() + 8, word);
        } else {
            machine.ram().set(ValueLayout.JAVA_INT, queue.deviceArea() + 4, id);
            machine.ram().set(ValueLayout.JAVA_INT, queue.deviceArea() + 8, length);
            machine.ram().set(ValueLayout.JAVA_SHORT, queue.deviceArea() + 2, (short) 1);
        }
    }

    @Test
    void stopsTheQueueWhenTheDeviceClaimsMoreThanItsBufferHolds(@TempDir Path dir) {
        try (EventRecording recording = new EventRecording(dir);
                VirtioNic nic = open(NicConfig.defaults())) {
            FramePool pool = nic.rxQueue(0).pool();
            claimUsed(nic.addresses(0), 0, 60000);
            FrameBatch batch = new FrameBatch(4);
            assertThatThrownBy(() -> nic.rxQueue(0).receive(batch))
                    .isInstanceOf(BrokenDeviceException.class)
                    .hasMessageContaining("receive queue 0")
                    .hasMessageContaining("buffer 0 and 60000 bytes")
                    .hasMessageContaining("13 to 2060 bytes");
            assertThatThrownBy(() -> nic.rxQueue(0).receive(batch)).isInstanceOf(IllegalStateException.class);
            assertThat(EventRecording.only("QueueStop", recording.read()))
                    .singleElement()
                    .satisfies(stop -> {
                        assertThat(stop.getString("nic")).isEqualTo(NAME);
                        assertThat(stop.getString("queue")).isEqualTo("receive queue 0");
                        assertThat(stop.getString("reason")).contains("buffer 0 and 60000 bytes");
                    });
            nic.stop();
            assertThat(pool.available()).isEqualTo(pool.buffers());
            nic.start();
            peer.send(frame(MAC, 60, 1));
            receive(nic, batch, 1);
            assertThat(batch.frame(0).toByteArray()).isEqualTo(frame(MAC, 60, 1));
        }
    }

    @Test
    void setsUpOneQueueAnewWhileTheOtherGoesOn() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(4);
            claimUsed(nic.addresses(0), 0, 60000);
            assertThatThrownBy(() -> nic.rxQueue(0).receive(batch)).isInstanceOf(BrokenDeviceException.class);
            if (!Feature.VIRTIO_F_RING_RESET.isIn(nic.negotiation().offered())) {
                assertThatThrownBy(() -> nic.ability(QueueReset.class).resetRxQueue(0))
                        .isInstanceOf(DoorbellException.class)
                        .hasMessageContaining("VIRTIO_F_RING_RESET");
                return;
            }
            nic.ability(QueueReset.class).resetRxQueue(0);
            for (int i = 0; i < 300; i++) {
                peer.send(frame(MAC, 60, i));
                receive(nic, batch, 1);
                assertThat(batch.frame(0).toByteArray()).isEqualTo(frame(MAC, 60, i));
                nic.txQueue(0).send(batch);
                assertThat(peer.receive(PATIENCE)).isEqualTo(frame(MAC, 60, i));
            }
        }
    }

    @Test
    void refusesToDoWhatTheDeviceIsNotSetUpFor() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            FrameBatch batch = new FrameBatch(1);
            nic.rxQueue(0).pool().allocate(batch, 1);
            batch.frame(0).copyFrom(frame(PEER, 60, 1));
            batch.frame(0).vlanTag(7);
            assertThatThrownBy(() -> nic.txQueue(0).send(batch))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("VLAN_TAG");
            assertThat(batch.size()).isEqualTo(1);
            batch.frame(0).clearOffloads();
            batch.frame(0).needsTimeStamp();
            assertThat(nic.txQueue(0).limits().allow(batch, 0)).isFalse();
            assertThatThrownBy(() -> nic.txQueue(0).send(batch))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("TIME_STAMP, since a virtio device has no clock");
            assertThat(batch.size()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 65535})
    void stopsTheQueueWhenTheDeviceClaimsABufferThatItDoesNotHave(int id) {
        try (VirtioNic nic = open(NicConfig.defaults().withRingSizes(64, 64))) {
            claimUsed(nic.addresses(0), id, 100);
            FrameBatch batch = new FrameBatch(4);
            assertThatThrownBy(() -> nic.rxQueue(0).receive(batch))
                    .isInstanceOf(BrokenDeviceException.class)
                    .hasMessageContaining("says buffer " + id)
                    .hasMessageContaining("64 of 0 to 63");
        }
    }

    @Test
    void noticesThatTheDeviceAsksToBeReset() {
        try (VirtioNic nic = open(NicConfig.defaults())) {
            QueueAddresses queue = nic.addresses(0);
            if (device.isPacked()) {
                // A buffer without room, which is an error in QEMU's eyes.
                machine.ram().set(ValueLayout.JAVA_INT, queue.descriptorArea() + 8, 0);
            } else {
                // A descriptor that there is not.
                machine.ram().set(ValueLayout.JAVA_SHORT, queue.driverArea() + 4, (short) 9999);
            }
            peer.send(frame(MAC, 60, 1));
            assertThat(BoundedWait.until(() -> needsReset(nic), PATIENCE)).isTrue();
            nic.reset();
            FrameBatch batch = new FrameBatch(1);
            peer.send(frame(MAC, 60, 2));
            receive(nic, batch, 1);
            assertThat(nic.linkState().up()).isTrue();
        }
    }

    private static boolean needsReset(VirtioNic nic) {
        try {
            nic.linkState();
            return false;
        } catch (BrokenDeviceException e) {
            assertThat(e).hasMessageContaining("DEVICE_NEEDS_RESET").hasMessageContaining("use Nic.reset");
            return true;
        }
    }

    @Test
    void forwardsInPlaceBetweenTwoNicsThatShareAPool() {
        try (QtestMachine two = QtestMachine.builder()
                .nic("virtio-net-pci", device.with())
                .nic("virtio-net-pci", device.with())
                .start()) {
            FramePool pool = FramePool.in(two.allocate(FramePool.bytesFor(4096, 2112)), 4096, 2112);
            NicConfig config = NicConfig.defaults().withPool(pool).withPromiscuous(true);
            try (VirtioNic left = open(two, 0, config);
                    VirtioNic right = open(two, 1, config)) {
                FrameBatch batch = new FrameBatch(8);
                byte[] sent = frame(MacAddress.parse("52:54:00:00:00:99"), 300, 1);
                two.peer(0).send(sent);
                receive(left, batch, 1);
                Frame frame = batch.frame(0);
                frame.setMac(6, right.macAddress());
                assertThat(right.txQueue(0).send(batch)).isEqualTo(1);
                byte[] arrived = two.peer(1).receive(PATIENCE);
                assertThat(arrived).hasSize(300);
                assertThat(Arrays.copyOfRange(arrived, 12, 300)).isEqualTo(Arrays.copyOfRange(sent, 12, 300));
            }
            assertThat(pool.available()).isEqualTo(pool.buffers());
        }
    }
}
