package io.doorbell.igb;

import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.NicProvider;
import io.doorbell.frame.spi.Practice;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciId;
import io.doorbell.pci.vfio.Vfio;
import java.util.List;
import java.util.Optional;

/** Opens igb NICs by their PCI addresses, through VFIO. */
public final class IgbProvider implements NicProvider {

    /** For {@link java.util.ServiceLoader}. */
    public IgbProvider() {}

    @Override
    public String driver() {
        return "igb";
    }

    @Override
    public String supports() {
        return "Intel 82576 and 82580, copper ports, by PCI address (such as 0000:01:00.0)";
    }

    @Override
    public boolean claims(String name) {
        if (!PciAddress.isAddress(name)) {
            return false;
        }
        PciDevice device = PciBus.system().find(PciAddress.parse(name));
        device.requireNic();
        return IgbModel.of(device.id()).isPresent();
    }

    @Override
    public Optional<String> model(String name) {
        PciId id = PciBus.system().find(PciAddress.parse(name)).id();
        return IgbModel.of(id).map(IgbModel::toString);
    }

    @Override
    public Optional<String> describe(String name) {
        return PciBus.describe(name);
    }

    @Override
    public List<Practice> practice(String name, NicConfig config) {
        return List.of(IgbPractice.open(config));
    }

    @Override
    public Nic open(String name, NicConfig config) {
        PciAddress address = PciAddress.parse(name);
        PciId id = PciBus.system().find(address).id();
        IgbModel model = IgbModel.of(id)
                .orElseThrow(() -> new IllegalArgumentException(name + " is a " + id + ", which igb does not drive"));
        return IgbNic.open(address.toString(), Vfio.open(address), model, config);
    }
}
