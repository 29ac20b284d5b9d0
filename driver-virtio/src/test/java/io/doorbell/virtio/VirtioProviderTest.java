package io.doorbell.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciId;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.transport.VirtioTransport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which transport a device gets, and which device none. */
@Tag("qtest")
class VirtioProviderTest {

    private static final PciAddress ADDRESS = PciAddress.parse("0000:00:04.0");

    @ParameterizedTest
    @CsvSource({
        "1041, disable-legacy=on, disable-modern=off, modern PCI",
        "1000, disable-legacy=off, disable-modern=off, modern PCI",
        "1000, disable-legacy=off, disable-modern=on, legacy PCI",
    })
    void drivesATransitionalDeviceByItsModernInterfaceIfItHasOne(
            String id, String legacy, String modern, String transport) {
        try (QtestMachine machine =
                QtestMachine.builder().nic("virtio-net-pci", legacy, modern).start()) {
            var function = machine.open(0);
            assertThat(function.id()).isEqualTo(new PciId(0x1af4, Integer.parseInt(id, 16)));
            try (VirtioTransport chosen = VirtioProvider.transport(function)) {
                assertThat(chosen.description()).isEqualTo(transport);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "disable-legacy=on, disable-modern=off",
        "disable-legacy=off, disable-modern=on",
    })
    void refusesADeviceThatBypassesTheIommu(String legacy, String modern) {
        try (QtestMachine machine = QtestMachine.builder()
                        .nic("virtio-net-pci", legacy, modern)
                        .start();
                VirtioTransport transport = VirtioProvider.transport(machine.open(0))) {
            assertThatThrownBy(() -> VirtioProvider.requireBehindIommu(ADDRESS, transport))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("does not offer VIRTIO_F_ACCESS_PLATFORM: it bypasses the IOMMU")
                    .hasMessageContaining("open sysfs:0000:00:04.0");
        }
    }

    @Test
    void takesADeviceThatMindsTheIommu() {
        try (QtestMachine machine = QtestMachine.builder()
                        .nic("virtio-net-pci", "disable-legacy=on", "iommu_platform=on")
                        .start();
                VirtioTransport transport = VirtioProvider.transport(machine.open(0))) {
            assertThatCode(() -> VirtioProvider.requireBehindIommu(ADDRESS, transport))
                    .doesNotThrowAnyException();
        }
    }
}
