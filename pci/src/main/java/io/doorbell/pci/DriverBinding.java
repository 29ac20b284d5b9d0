package io.doorbell.pci;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.pci.host.Holder;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import jnr.constants.platform.Errno;

/**
 * Takes a function from its kernel driver and gives it back, by way of sysfs. What is as it should be already is left
 * alone, so that each operation may be repeated. Needs root.
 *
 * <p>{@code driver_override} names the one driver that may have the function, whatever its ids, and so is gentler than
 * {@code new_id}, which would offer vfio-pci every function of the kind.
 */
public final class DriverBinding {

    /** The driver that opens functions to user space behind an IOMMU. */
    public static final String VFIO_PCI = "vfio-pci";

    private final PciBus bus;
    private final Kernel kernel;
    private final FormerDrivers former;

    public DriverBinding(PciBus bus) {
        this(bus, Kernel.linux());
    }

    DriverBinding(PciBus bus, Kernel kernel) {
        this.bus = bus;
        this.kernel = kernel;
        this.former = new FormerDrivers(bus.root());
    }

    /**
     * Binds the function to vfio-pci and writes down which driver it had. If that fails, the function gets it back.
     *
     * @param force take it even if the machine uses it ({@link PciBus#uses})
     * @throws DoorbellException when the function is in use, behind no IOMMU, or when the kernel refuses
     */
    public void bind(PciAddress address, boolean force) {
        PciDevice device = bus.find(address);
        if (device.isBoundTo(VFIO_PCI)) {
            return;
        }
        device.requireIommuGroup();
        requireDriver(VFIO_PCI, address);
        requireFree(device, force);
        remember(device);
        try {
            override(address, VFIO_PCI);
            detach(device);
            probe(address);
            requireBound(address, VFIO_PCI);
        } catch (DoorbellException e) {
            giveBack(address, e);
            throw e;
        }
    }

    /**
     * Leaves the function without a driver, having written down which one it had.
     *
     * @param force take it even if the machine uses it ({@link PciBus#uses})
     */
    public void unbind(PciAddress address, boolean force) {
        PciDevice device = bus.find(address);
        if (device.driver().isEmpty()) {
            return;
        }
        requireFree(device, force);
        remember(device);
        detach(device);
        override(address, "");
    }

    /**
     * Gives the function back to the driver that it had before {@link #bind} or {@link #unbind}, in whichever process;
     * to the one that the kernel prefers if nobody wrote that down.
     *
     * @return the driver that it has now; empty if it had none
     */
    public Optional<String> restore(PciAddress address) {
        PciDevice device = bus.find(address);
        Optional<String> driver = former.of(address);
        if (device.isBoundTo(VFIO_PCI)) {
            driver.ifPresent(name -> requireDriver(name, address));
            requireUnused(device, "end it first");
            requireNotHeld(device);
            detach(device);
        }
        override(address, "");
        if (bus.find(address).driver().isEmpty()) {
            if (driver.isPresent()) {
                write(driverFile(driver.get(), "bind"), address.toString());
                requireBound(address, driver.get());
            } else if (!former.knows(address)) {
                probe(address);
            }
        }
        former.forget(address);
        return bus.find(address).driver();
    }

    /** The functions that {@link #bind} or {@link #unbind} took, in whichever process, and that are still there. */
    public List<PciDevice> taken() {
        return bus.devices().stream()
                .filter(device -> former.knows(device.address()))
                .toList();
    }

    private void giveBack(PciAddress address, DoorbellException cause) {
        try {
            restore(address);
        } catch (DoorbellException alsoFailed) {
            cause.addSuppressed(alsoFailed);
        }
    }

    /** What was written down first holds: vfio-pci, or no driver, is where we put the function ourselves. */
    private void remember(PciDevice device) {
        boolean ours = device.driver().isEmpty() || device.isBoundTo(VFIO_PCI);
        if (!ours || !former.knows(device.address())) {
            former.remember(device.address(), device.driver().filter(driver -> !driver.equals(VFIO_PCI)));
        }
    }

    private void requireDriver(String driver, PciAddress address) {
        if (!bus.hasDriver(driver)) {
            throw new DoorbellException("the kernel has no driver " + driver + " loaded to bind " + address
                    + " to: run 'modprobe " + driver + "' as root");
        }
    }

    private void requireFree(PciDevice device, boolean force) {
        if (!force) {
            requireUnused(device, "--force takes it all the same");
        }
        requireNotHeld(device);
    }

    /** Nobody loses the network by a slip. */
    private void requireUnused(PciDevice device, String wayOut) {
        List<String> uses = bus.uses(device.address());
        if (!uses.isEmpty()) {
            throw new DoorbellException(device.address() + " is in use: " + String.join("; ", uses)
                    + ": taking it would end that, and may cut this machine off; " + wayOut);
        }
    }

    /** Nor any process the function that it drives. vfio-pci's unbind would wait for it, for ever if need be. */
    private void requireNotHeld(PciDevice device) {
        List<Holder> holders = Holder.of(bus.root(), device.address().toString());
        if (!holders.isEmpty()) {
            Holder holder = holders.getFirst();
            throw new DoorbellException(
                    device.address() + " is in use by " + holder + ", which holds " + holder.file() + ": end it first");
        }
    }

    private void requireBound(PciAddress address, String driver) {
        PciDevice now = bus.find(address);
        if (!now.isBoundTo(driver)) {
            throw new DoorbellException(
                    address + " was offered to " + driver + ", which did not take it; it is bound to "
                            + now.driver().orElse("no driver") + " now: the kernel log (dmesg) says why");
        }
    }

    private void override(PciAddress address, String driver) {
        // A newline alone clears it.
        write(bus.directory(address).resolve("driver_override"), driver + "\n");
    }

    private void detach(PciDevice device) {
        device.driver()
                .ifPresent(driver ->
                        write(driverFile(driver, "unbind"), device.address().toString()));
    }

    private void probe(PciAddress address) {
        write(bus.root().resolve("sys/bus/pci/drivers_probe"), address.toString());
    }

    private Path driverFile(String driver, String file) {
        return bus.root().resolve("sys/bus/pci/drivers").resolve(driver).resolve(file);
    }

    private void write(Path file, String text) {
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            int fd = kernel.open(file.toString(), Kernel.O_WRONLY | Kernel.O_CLOEXEC);
            try {
                kernel.pwrite(fd, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), 0);
            } finally {
                kernel.close(fd);
            }
        } catch (KernelException e) {
            throw new DoorbellException(
                    "cannot write '" + text.strip() + "' to " + file + ": " + e.reason() + "; " + wayOut(e.errno()), e);
        }
    }

    private static String wayOut(Errno errno) {
        return switch (errno) {
            case EACCES, EPERM -> "run as root, and outside a container that mounts /sys read-only";
            case EROFS -> "/sys is mounted read-only here, as in a container: run where it is not";
            case EBUSY -> "something else holds the function or the driver: see who does, and try again";
            case ENODEV -> "the function has gone, or its driver does not take it: see dmesg";
            case ENOENT -> "the function or the driver has gone: see lspci and lsmod";
            default -> "the kernel log (dmesg) may say more";
        };
    }
}
