package io.doorbell.igb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicConfig;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class IgbProviderTest {

    /** What the provider finds; none is there, so it cannot be opened. */
    private static final NicCandidate CANDIDATE =
            IgbProvider.Candidate.port(PciAddress.parse("ffff:1f:1f.7"), IgbModel.I82576);

    @ParameterizedTest
    @EnumSource
    void isForCopperPortsOnly(IgbModel model) {
        PciAddress address = PciAddress.parse("0000:01:00.0");
        model.ports().forEach((device, medium) -> {
            PciId id = new PciId(0x8086, device);
            boolean copper = medium.equals(IgbModel.Medium.COPPER);
            assertThat(IgbProvider.candidate(address, id).isPresent())
                    .as("%s %s", model, id)
                    .isEqualTo(copper);
            if (!copper) {
                assertThat(IgbProvider.ports(id))
                        .contains("an " + model + " whose port is ")
                        .endsWith("and not copper");
            }
        });
        assertThat(IgbProvider.ports(new PciId(0x1af4, 0x1041))).isEmpty();
    }

    @Test
    void refusesToLeaveFeaturesThatItDoesNotKnow() {
        assertThatThrownBy(() -> CANDIDATE.open(NicConfig.defaults().withoutFeatures("VIRTIO_F_RING_PACKED")))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("VIRTIO_F_RING_PACKED")
                .hasMessageContaining("NicConfig.withoutFeatures");
    }
}
