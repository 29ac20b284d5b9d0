package io.doorbell.pci.vfio;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciFunction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The door to PCI functions that are bound to {@code vfio-pci}. Thread-safe.
 *
 * <p>When the JVM ends with functions open, by {@code System.exit} or Ctrl-C, they are made quiet: bus mastering off,
 * and reset. When it is killed, the kernel does the same.
 */
public final class Vfio {

    private static @Nullable Vfio machine;

    private final PciBus bus;
    private final Kernel kernel;
    private final Map<Integer, VfioGroup> groups = new HashMap<>();
    private final Map<PciAddress, VfioFunction> functions = new HashMap<>();

    Vfio(PciBus bus, Kernel kernel) {
        this.bus = bus;
        this.kernel = kernel;
    }

    /**
     * The running machine; made when the first function is opened. Not a constant: a class that failed to become one could
     * not say why.
     */
    private static synchronized Vfio machine() {
        if (machine == null) {
            Vfio made = new Vfio(PciBus.system(), Kernel.linux());
            Runtime.getRuntime().addShutdownHook(new Thread(made::quiesceAll, "doorbell-quiesce"));
            machine = made;
        }
        return machine;
    }

    /**
     * Opens the function for this process alone. It is the caller's to close.
     *
     * @throws DoorbellException when there is no such function, it is not bound to vfio-pci, is in use or out of reach;
     *     the message says which, and what to do
     */
    public static PciFunction open(PciAddress address) {
        return machine().openFunction(address);
    }

    /**
     * Opens the function, which resets it, looks at it and closes it.
     *
     * @throws DoorbellException as {@link #open} does
     */
    public static VfioReport inspect(PciAddress address) {
        return machine().inspectFunction(address);
    }

    VfioReport inspectFunction(PciAddress address) {
        try (VfioFunction function = openFunction(address)) {
            return function.report();
        }
    }

    synchronized VfioFunction openFunction(PciAddress address) {
        PciDevice device = bus.find(address);
        int number = device.requireIommuGroup();
        if (!device.isBoundTo(DriverBinding.VFIO_PCI)) {
            throw VfioErrors.notBound(device);
        }
        if (functions.containsKey(address)) {
            throw VfioErrors.openAlready(address);
        }
        VfioGroup group = groups.get(number);
        if (group == null) {
            group = VfioGroup.open(bus, kernel, device);
            groups.put(number, group);
        }
        VfioGroup shared = group;
        shared.use();
        VfioFunction function = VfioFunction.open(kernel, shared, address, () -> closed(address, shared));
        functions.put(address, function);
        return function;
    }

    private synchronized void closed(PciAddress address, VfioGroup group) {
        functions.remove(address);
        try {
            if (group.unuse()) {
                groups.remove(group.number());
            }
        } catch (Throwable e) {
            groups.remove(group.number());
            throw e;
        }
    }

    /** Makes every open function quiet, and leaves it open: its memory and mappings go with the process. */
    void quiesceAll() {
        List<VfioFunction> open;
        synchronized (this) {
            open = List.copyOf(functions.values());
        }
        for (VfioFunction function : open) {
            try {
                function.quiesce();
            } catch (Throwable e) {
                System.getLogger(Vfio.class.getName())
                        .log(System.Logger.Level.WARNING, function.address() + " is not quiet", e);
            }
        }
    }
}
