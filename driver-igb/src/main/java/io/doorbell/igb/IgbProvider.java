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
import io.doorbell.igb.warmup.SimulatedIgb;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.vfio.Vfio;
import java.util.List;
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
        return "Intel 82576, and 82580, I350, I354, I210 and I211 untested, copper ports, by PCI address (such as 0000:01:00.0)";
    }

    @Override
    public Optional<NicCandidate> find(String name) {
        if (!PciAddress.isAddress(name)) {
            return Optional.empty();
        }
        PciDevice device = PciBus.system().find(PciAddress.parse(name));
        device.requireNic();
        return IgbModel.of(device.id()).map(model -> new Candidate(device.address(), model));
    }

    @Override
    public Optional<String> describe(String name) {
        return PciBus.describe(name);
    }

    @Override
    public List<SimulatedNic> simulate(String name, NicConfig config) {
        return List.of(SimulatedIgb.open(config));
    }

    record Candidate(PciAddress address, IgbModel type) implements NicCandidate {

        @Override
        public String name() {
            return address.toString();
        }

        @Override
        public String driver() {
            return DRIVER;
        }

        @Override
        public String model() {
            return type.toString();
        }

        @Override
        public List<DriverFeature> features() {
            return IgbFeature.of(type);
        }

        @Override
        public Set<NicOption<?>> supportedOptions() {
            return IgbNic.OPTIONS;
        }

        @Override
        public Nic take(NicConfig config) {
            return IgbNic.open(name(), Vfio.open(address), type, config);
        }
    }
}
