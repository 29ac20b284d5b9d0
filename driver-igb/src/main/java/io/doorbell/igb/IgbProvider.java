package io.doorbell.igb;

import io.doorbell.frame.DriverFeature;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicOption;
import io.doorbell.frame.NicProvider;
import io.doorbell.frame.warmup.SimulatedNic;
import io.doorbell.frame.warmup.Simulation;
import io.doorbell.igb.nic.IgbNic;
import io.doorbell.igb.spec.IgbFeature;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbModel.Medium;
import io.doorbell.igb.vf.IgbVfNic;
import io.doorbell.igb.vf.VfModel;
import io.doorbell.igb.warmup.SimulatedIgb;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import io.doorbell.pci.vfio.Vfio;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Opens igb NICs by their PCI addresses, through VFIO. */
public final class IgbProvider implements NicProvider, Simulation {

    private static final String DRIVER = "igb";

    /** For {@link java.util.ServiceLoader}. */
    public IgbProvider() {}

    @Override
    public String driver() {
        return DRIVER;
    }

    @Override
    public String supports() {
        return "Intel 82576, and 82580, I350, I210 and I211 untested, copper ports only, and virtual functions of 82576 and I350,"
                + " by PCI address (such as 0000:01:00.0)";
    }

    @Override
    public Optional<NicCandidate> find(String name) {
        if (!PciAddress.isAddress(name)) {
            return Optional.empty();
        }
        PciDevice device = PciBus.system().find(PciAddress.parse(name));
        device.requireNic();
        return candidate(device.address(), device.id());
    }

    /** Of ports, only those of copper: nothing about the others could be checked. */
    static Optional<NicCandidate> candidate(PciAddress address, PciId id) {
        return IgbModel.of(id)
                .filter(model -> isCopper(model, id))
                .<NicCandidate>map(model -> Candidate.port(address, model))
                .or(() -> VfModel.of(id).map(model -> Candidate.virtualFunction(address, model)));
    }

    private static boolean isCopper(IgbModel model, PciId id) {
        return Medium.COPPER.equals(model.ports().get(id.device()));
    }

    @Override
    public Optional<String> describe(String name) {
        if (!PciAddress.isAddress(name)) {
            return Optional.empty();
        }
        PciDevice device = PciBus.system().find(PciAddress.parse(name));
        return Optional.of(device.describe() + ports(device.id()));
    }

    /** Why it is not for this driver although its registers are: what continues its description. */
    static String ports(PciId id) {
        return IgbModel.of(id)
                .map(model -> ", an " + model + " whose port is "
                        + String.valueOf(model.ports().get(id.device())).toLowerCase(Locale.ROOT)
                        + ", and not copper")
                .orElse("");
    }

    @Override
    public List<SimulatedNic> simulate(String name, NicConfig config) {
        return List.of(SimulatedIgb.open(config));
    }

    /**
     * A port, or a virtual function, whose port its owner keeps.
     *
     * @param driving opens the function, once it has been taken from the kernel
     */
    record Candidate(
            PciAddress address,
            String model,
            List<DriverFeature> features,
            Set<NicOption<?>> supportedOptions,
            Driving driving)
            implements NicCandidate {

        static Candidate port(PciAddress address, IgbModel type) {
            return new Candidate(
                    address,
                    type.toString(),
                    IgbFeature.of(type),
                    IgbNic.OPTIONS,
                    (name, function, config) -> IgbNic.open(name, function, type, config));
        }

        static Candidate virtualFunction(PciAddress address, VfModel type) {
            return new Candidate(
                    address,
                    type.toString(),
                    IgbFeature.ofVirtualFunction(type.equals(VfModel.I82576)),
                    IgbVfNic.OPTIONS,
                    (name, function, config) -> IgbVfNic.open(name, function, type, config));
        }

        @Override
        public String name() {
            return address.toString();
        }

        @Override
        public String driver() {
            return DRIVER;
        }

        @Override
        public Nic take(NicConfig config) {
            return driving.open(name(), Vfio.open(address), config);
        }
    }

    /** How a function is driven, which is closed with the NIC, or right away if the NIC does not come up. */
    interface Driving {
        Nic open(String name, PciFunction function, NicConfig config);
    }
}
