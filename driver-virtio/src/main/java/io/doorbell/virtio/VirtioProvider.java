package io.doorbell.virtio;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicOption;
import io.doorbell.frame.NicProvider;
import io.doorbell.frame.warmup.SimulatedNic;
import io.doorbell.frame.warmup.Simulation;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import io.doorbell.pci.sysfs.Sysfs;
import io.doorbell.pci.vfio.Vfio;
import io.doorbell.virtio.net.VirtioNic;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.transport.LegacyPciTransport;
import io.doorbell.virtio.transport.ModernPciTransport;
import io.doorbell.virtio.transport.VirtioCapability;
import io.doorbell.virtio.transport.VirtioTransport;
import io.doorbell.virtio.warmup.SimulatedVirtio;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Opens virtio network devices by their PCI addresses, through VFIO; or through sysfs, where that is asked for. */
public final class VirtioProvider implements NicProvider, Simulation {

    private static final String DRIVER = "virtio";

    /** A device that is modern only (4.1.2.1): 0x1040 and the number of a network device, 1 (5.1.1). */
    private static final PciId MODERN = new PciId(0x1af4, 0x1041);
    /** One that a legacy driver can drive too (4.1.2.3). */
    private static final PciId TRANSITIONAL = new PciId(0x1af4, 0x1000);

    /** In front of an address: without an IOMMU, which is nothing to fall back to in silence. */
    private static final String UNPROTECTED = "sysfs:";

    /** For {@link java.util.ServiceLoader}. */
    public VirtioProvider() {}

    @Override
    public String driver() {
        return DRIVER;
    }

    @Override
    public String supports() {
        return "virtio-net, by PCI address (such as 0000:00:04.0; sysfs:0000:00:04.0 where no IOMMU protects memory)";
    }

    @Override
    public Optional<NicCandidate> find(String name) {
        String address = withoutPrefix(name);
        if (!PciAddress.isAddress(address)) {
            return Optional.empty();
        }
        PciDevice device = PciBus.system().find(PciAddress.parse(address));
        device.requireNic();
        boolean ours = device.id().equals(MODERN) || device.id().equals(TRANSITIONAL);
        return ours ? Optional.of(new Candidate(device.address(), name.startsWith(UNPROTECTED))) : Optional.empty();
    }

    @Override
    public Optional<String> describe(String name) {
        return PciBus.describe(withoutPrefix(name));
    }

    private static String withoutPrefix(String name) {
        return name.startsWith(UNPROTECTED) ? name.substring(UNPROTECTED.length()) : name;
    }

    @Override
    public List<SimulatedNic> simulate(String name, NicConfig config) {
        return SimulatedVirtio.all(config, false);
    }

    private record Candidate(PciAddress address, boolean unprotected) implements NicCandidate {

        @Override
        public String name() {
            return unprotected ? UNPROTECTED + address : address.toString();
        }

        @Override
        public String driver() {
            return DRIVER;
        }

        @Override
        public String model() {
            return "virtio-net";
        }

        @Override
        public Set<NicOption<?>> supportedOptions() {
            return VirtioNic.OPTIONS;
        }

        @Override
        public Nic take(NicConfig config) {
            VirtioTransport transport = unprotected ? transport(Sysfs.open(address)) : behindIommu(address);
            return VirtioNic.open(name(), transport, config);
        }
    }

    private static VirtioTransport behindIommu(PciAddress address) {
        VirtioTransport transport = transport(Vfio.open(address));
        return Cleanup.onFailure(transport::close, () -> {
            requireBehindIommu(address, transport);
            return transport;
        });
    }

    /**
     * A device that does not offer ACCESS_PLATFORM takes the addresses that it is given for physical ones (6.1), whatever
     * stands between it and memory. VFIO gives it others: it would write into memory that is not ours.
     */
    static void requireBehindIommu(PciAddress address, VirtioTransport transport) {
        if ((transport.deviceFeatures() & Feature.VIRTIO_F_ACCESS_PLATFORM.mask()) == 0) {
            throw new DoorbellException(address + " (" + transport.description() + ") does not offer "
                    + Feature.VIRTIO_F_ACCESS_PLATFORM
                    + ": it bypasses the IOMMU, and VFIO cannot tell it where memory is"
                    + " nor keep it out. In QEMU, give it disable-legacy=on,iommu_platform=on; or run 'nicctl unbind "
                    + address + "' and open " + UNPROTECTED + address + ", which lets it reach all memory");
        }
    }

    /** The transport that suits a device; takes over {@code function}, which is closed with it. */
    static VirtioTransport transport(PciFunction function) {
        return Cleanup.onFailure(function::close, () -> {
            boolean legacyOnly = function.id().equals(TRANSITIONAL)
                    && VirtioCapability.find(function, VirtioCapability.COMMON, 1)
                            .isEmpty();
            return legacyOnly ? new LegacyPciTransport(function) : new ModernPciTransport(function);
        });
    }
}
