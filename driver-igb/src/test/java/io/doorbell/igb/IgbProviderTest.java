package io.doorbell.igb;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicConfig;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.pci.PciAddress;
import org.junit.jupiter.api.Test;

class IgbProviderTest {

    /** What the provider finds; none is there, so it cannot be opened. */
    private static final NicCandidate CANDIDATE =
            new IgbProvider.Candidate(PciAddress.parse("ffff:1f:1f.7"), IgbModel.I82576);

    @Test
    void refusesToLeaveFeaturesThatItDoesNotKnow() {
        assertThatThrownBy(() -> CANDIDATE.open(NicConfig.defaults().withoutFeatures("VIRTIO_F_RING_PACKED")))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("VIRTIO_F_RING_PACKED")
                .hasMessageContaining("NicConfig.withoutFeatures");
    }
}
