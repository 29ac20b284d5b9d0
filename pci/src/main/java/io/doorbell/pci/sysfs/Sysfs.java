package io.doorbell.pci.sysfs;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciFunction;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The door to PCI functions that are bound to no driver, by the files that sysfs has of each. Thread-safe.
 *
 * <p>This is for devices that VFIO cannot serve: those of a machine without an IOMMU, and those that bypass the IOMMU, as
 * a legacy virtio device does. They are told physical addresses, and <em>nothing</em> keeps them from other memory: a
 * wrong address corrupts the machine, and so may a device that was at work when its process was killed, since the kernel
 * does not know to stop it. A JVM that ends otherwise, by an exception, {@code System.exit} or Ctrl-C, stops it first.
 *
 * <p>Takes root, and hugepages, since ordinary pages move.
 */
public final class Sysfs {

    /** Open in this process. The kernel does not keep others out; whoever is root must know. */
    private static final Set<SysfsFunction> OPEN = ConcurrentHashMap.newKeySet();

    private Sysfs() {}

    /**
     * Opens the function, which is the caller's to close.
     *
     * @throws DoorbellException when there is no such function, a driver has it, this process has it open, or the process
     *     may not; the message says which, and what to do
     */
    public static PciFunction open(PciAddress address) {
        return open(PciBus.system(), Kernel.linux(), address);
    }

    static synchronized SysfsFunction open(PciBus bus, Kernel kernel, PciAddress address) {
        PciDevice device = bus.find(address);
        device.driver().ifPresent(driver -> {
            throw new DoorbellException(address + " is bound to " + driver + ", and only a function that is bound to no"
                    + " driver can be opened through sysfs: run 'nicctl unbind " + address + "' as root");
        });
        if (OPEN.stream().anyMatch(open -> open.address().equals(address))) {
            throw new DoorbellException(address + " is open in this process already: use that one, or close it first");
        }
        SysfsFunction function = SysfsFunction.open(bus, kernel, device, OPEN::remove);
        if (OPEN.isEmpty()) {
            QuietAtTheEnd.arrange();
        }
        OPEN.add(function);
        return function;
    }

    /** Makes every open function quiet; one that cannot be does not keep the others from it. */
    static void quiesceAll() {
        for (SysfsFunction function : OPEN) {
            try {
                function.quiesce();
            } catch (Throwable e) {
                System.getLogger(Sysfs.class.getName())
                        .log(System.Logger.Level.WARNING, function.address() + " is not quiet", e);
            }
        }
    }

    /** Once loaded, quiets what is open when the JVM ends. */
    private static final class QuietAtTheEnd {

        static {
            Runtime.getRuntime().addShutdownHook(new Thread(Sysfs::quiesceAll, "doorbell-quiesce-sysfs"));
        }

        static void arrange() {}
    }
}
