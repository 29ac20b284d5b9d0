package io.doorbell.tools.host;

import io.doorbell.DoorbellException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicProvider;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.tools.text.Console;
import io.doorbell.tools.text.Json;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What commands work on and with; a test gives them a machine of its own making.
 *
 * @param providers Doorbell's drivers
 */
public record Context(Console console, PciBus bus, DriverBinding binding, List<NicProvider> providers) {

    /** Negotiation with the other end takes 2 to 4 seconds at 1000BASE-T. */
    private static final Duration LINK = Duration.ofSeconds(6);

    public static Context ofProcess(Console console) {
        PciBus bus = PciBus.system();
        return new Context(console, bus, new DriverBinding(bus), NicProvider.all());
    }

    /**
     * The NIC at an address as a person wrote it.
     *
     * @throws DoorbellException when it is no address, nothing is there, or what is there is no NIC
     */
    public PciDevice nic(String address) {
        PciDevice device = bus.find(PciAddress.parse(address));
        device.requireNic();
        return device;
    }

    /** Opens and starts the NIC at an address as a person wrote it, or by another name that one of the drivers knows. */
    public Nic open(String address) {
        return open(address, NicConfig.defaults());
    }

    /**
     * As {@link #open(String)}, with options.
     *
     * @throws DoorbellException when it is no NIC, not bound to vfio-pci, or no driver of Doorbell's knows it
     */
    public Nic open(String address, NicConfig config) {
        if (!PciAddress.isAddress(address)) {
            for (NicProvider provider : providers) {
                Optional<NicCandidate> candidate = provider.find(address);
                if (candidate.isPresent()) {
                    return candidate.get().open(config);
                }
            }
        }
        PciDevice device = nic(address);
        requireBound(device);
        return Nic.open(device.address().toString(), config);
    }

    /** Throws, saying what to do, unless the NIC is bound to vfio-pci. */
    public void requireBound(PciDevice device) {
        if (!device.isBoundTo(DriverBinding.VFIO_PCI)) {
            throw new DoorbellException(device.address() + " is bound to "
                    + device.driver().orElse("no driver") + ", not to vfio-pci: run 'nicctl bind " + device.address()
                    + "' first");
        }
    }

    /** The link of a NIC that has just been opened, which takes some seconds to come up, if it does. */
    public static LinkState linkOf(Nic nic) {
        try {
            return nic.awaitLink(LINK);
        } catch (DoorbellException e) {
            return LinkState.DOWN;
        }
    }

    /** A line of a result, for people. */
    public void print(String line) {
        console.out().println(line);
    }

    /** Something that is not as a person may think, and stops nothing. */
    void warn(String message) {
        console.err().println("nicctl: warning: " + message);
    }

    /** A result for machines. */
    public void printJson(Object value) {
        console.out().println(Json.write(value));
    }
}
