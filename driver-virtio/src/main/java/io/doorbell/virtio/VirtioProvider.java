package io.doorbell.virtio;

import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.NicProvider;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import io.doorbell.pci.vfio.Vfio;

/** Opens virtio network devices by their PCI addresses, through VFIO. */
public final class VirtioProvider implements NicProvider {

    /** A device that is modern only (4.1.2.1): 0x1040 and the number of a network device, 1 (5.1.1). */
    private static final PciId MODERN = new PciId(0x1af4, 0x1041);
    /** One that a legacy driver can drive too (4.1.2.3). */
    private static final PciId TRANSITIONAL = new PciId(0x1af4, 0x1000);

    /** For {@link java.util.ServiceLoader}. */
    public VirtioProvider() {}

    @Override
    public String driver() {
        return "virtio";
    }

    @Override
    public String supports() {
        return "virtio-net, by PCI address (such as 0000:00:04.0)";
    }

    @Override
    public boolean claims(String name) {
        if (!PciAddress.isAddress(name)) {
            return false;
        }
        PciDevice device = PciBus.system().find(PciAddress.parse(name));
        device.requireNic();
        return device.id().equals(MODERN) || device.id().equals(TRANSITIONAL);
    }

    @Override
    public Nic open(String name, NicConfig config) {
        PciAddress address = PciAddress.parse(name);
        return VirtioNic.open(address.toString(), transport(Vfio.open(address)), config);
    }

    private static VirtioTransport transport(PciFunction function) {
        try {
            boolean legacyOnly = function.id().equals(TRANSITIONAL)
                    && VirtioCapability.find(function, VirtioCapability.COMMON, 1)
                            .isEmpty();
            return legacyOnly ? new LegacyPciTransport(function) : new ModernPciTransport(function);
        } catch (RuntimeException e) {
            try {
                function.close();
            } catch (RuntimeException onTop) {
                e.addSuppressed(onTop);
            }
            throw e;
        }
    }
}
