package io.doorbell.virtio.transport;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.pci.Bar;
import io.doorbell.pci.Capability;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.PciFunction;
import java.util.Optional;

/**
 * Where one of the structures of a virtio PCI device lies (4.1.4).
 *
 * @param type one of the constants here
 * @param number of the BAR that it is in
 * @param offset in that BAR, in bytes
 * @param length in bytes
 * @param position of the capability in configuration space
 */
public record VirtioCapability(int type, int number, long offset, long length, int position) {

    public static final int COMMON = 1;
    static final int NOTIFY = 2;
    static final int ISR = 3;
    static final int DEVICE = 4;

    /** Bytes of virtio_pci_cap, and where virtio_pci_notify_cap goes on. */
    private static final int SIZE = 16;

    private static final int BARS = 6;

    /**
     * The first structure of this type that can be used (4.1.4.1): one in a BAR that does not exist is none.
     *
     * @param size bytes that it has to have at least
     * @throws DoorbellException when it reaches out of its BAR or is too small
     */
    public static Optional<VirtioCapability> find(PciFunction function, int type, int size) {
        ConfigSpace config = function.config();
        for (Capability capability : config.capabilities()) {
            if (capability.extended() || capability.id() != Capability.VENDOR_SPECIFIC) {
                continue;
            }
            int at = capability.offset();
            if (at + SIZE > config.size() || config.read8(at + 3) != type || config.read8(at + 4) >= BARS) {
                continue;
            }
            VirtioCapability found = new VirtioCapability(
                    type,
                    config.read8(at + 4),
                    Integer.toUnsignedLong(config.read32(at + 8)),
                    Integer.toUnsignedLong(config.read32(at + 12)),
                    at);
            found.check(function, size);
            return Optional.of(found);
        }
        return Optional.empty();
    }

    /** As {@link #find}, for a structure without which there is no modern device. */
    static VirtioCapability require(PciFunction function, int type, String name, int size) {
        return find(function, type, size)
                .orElseThrow(() -> new DoorbellException(function.address() + " (" + function.id()
                        + ") has no virtio capability for its " + name + ", so it is no modern virtio device"));
    }

    private void check(PciFunction function, int size) {
        long bar = function.bar(number).size();
        if (offset > bar || length > bar - offset || length < size) {
            throw new BrokenDeviceException(String.format(
                    "%s: the virtio capability at 0x%x of configuration space (type %d) claims %d bytes at 0x%x of BAR"
                            + " %d; at least %d are needed, and the BAR has %d bytes",
                    function.address(), position, type, length, offset, number, size, bar));
        }
    }

    Bar bar(PciFunction function) {
        return function.bar(number);
    }

    /** Bytes from one queue's notification address to the next one's, in a capability of type {@link #NOTIFY}. */
    long notifyMultiplier(PciFunction function) {
        if (position + SIZE + 4 > function.config().size()) {
            throw new BrokenDeviceException(function.address() + ": the notification capability at 0x"
                    + Integer.toHexString(position) + " reaches out of configuration space");
        }
        return Integer.toUnsignedLong(function.config().read32(position + SIZE));
    }
}
