package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Features that change what the driver reads from the device's configuration, with QEMU's virtio-net as the judge. */
@Tag("qtest")
class NetConfigTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static QtestMachine machine(String... properties) {
        String[] all = new String[properties.length + 1];
        all[0] = "disable-legacy=on";
        System.arraycopy(properties, 0, all, 1, properties.length);
        return QtestMachine.builder().nic("virtio-net-pci", all).start();
    }

    private static VirtioNic open(QtestMachine machine, NicConfig config) {
        return VirtioNic.open("nic", new ModernPciTransport(machine.open(0)), config);
    }

    @Test
    void passesJumboFramesWhereTheBuffersHoldThem() {
        try (QtestMachine machine = machine("host_mtu=9000");
                VirtioNic nic = open(machine, NicConfig.defaults().withBufferSize(FramePool.HEADROOM + 9018))) {
            assertThat(nic.negotiation().has(Feature.VIRTIO_NET_F_MTU)).isTrue();
            byte[] jumbo = new byte[9014];
            new Random(1).nextBytes(jumbo);
            Arrays.fill(jumbo, 0, 6, (byte) 0xff);
            machine.peer(0).send(jumbo);
            FrameBatch batch = new FrameBatch(1);
            assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) == 1, PATIENCE))
                    .isTrue();
            assertThat(batch.frame(0).toByteArray()).isEqualTo(jumbo);
            nic.txQueue(0).send(batch);
            assertThat(machine.peer(0).receive(PATIENCE)).isEqualTo(jumbo);
            nic.rxQueue(0).pool().allocate(batch, 1);
            batch.frame(0).moveStart(-64);
            batch.frame(0).length(9019);
            assertThatThrownBy(() -> nic.txQueue(0).send(batch)).hasMessageContaining("to 9018");
        }
    }

    @Test
    void doesNotPromiseAnMtuThatItsBuffersCannotHold() {
        try (QtestMachine machine = machine("host_mtu=9000");
                VirtioNic nic = open(machine, NicConfig.defaults())) {
            assertThat(Feature.VIRTIO_NET_F_MTU.isIn(nic.negotiation().offered()))
                    .isTrue();
            assertThat(nic.negotiation().has(Feature.VIRTIO_NET_F_MTU)).isFalse();
        }
    }

    @Test
    void readsSpeedAndDuplex() {
        try (QtestMachine machine = machine("speed=25000", "duplex=full");
                VirtioNic nic = open(machine, NicConfig.defaults())) {
            assertThat(nic.linkState()).isEqualTo(new LinkState(true, 25000, true));
        }
    }

    @Test
    void takesTheLinkForUpWithoutItsStatus() {
        try (QtestMachine machine = machine();
                VirtioNic nic = open(machine, NicConfig.defaults().withoutFeatures("VIRTIO_NET_F_STATUS"))) {
            machine.setLink(0, false);
            assertThat(nic.linkState().up()).isTrue();
        }
    }

    @Test
    void makesUpAnAddressWithoutTheDevices() {
        try (QtestMachine machine = machine();
                VirtioNic nic = open(machine, NicConfig.defaults().withoutFeatures("VIRTIO_NET_F_MAC"))) {
            assertThat(nic.macAddress().isUnicast()).isTrue();
            assertThat(nic.macAddress().octet(0)).isEqualTo(2);
        }
    }

    @Test
    void refusesFeaturesThatItDoesNotKnowAndThoseThatItNeeds() {
        try (QtestMachine machine = machine()) {
            assertThatThrownBy(() -> open(machine, NicConfig.defaults().withoutFeatures("VIRTIO_F_RING_PAKED")))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("'VIRTIO_F_RING_PAKED' is not a feature");
            assertThatThrownBy(() -> open(machine, NicConfig.defaults().withoutFeatures("VIRTIO_F_VERSION_1")))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("virtio needs VIRTIO_F_VERSION_1");
        }
    }
}
