package io.doorbell.pci.vfio;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.host.Holder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/** What VFIO's refusals mean, and the way out of each. */
final class VfioErrors {

    /** Drivers that keep a group viable: they start no DMA of their own, or are VFIO's. */
    private static final Set<String> HARMLESS = Set.of(DriverBinding.VFIO_PCI, "pci-stub", "pcieport", "shpchp");

    private VfioErrors() {}

    static DoorbellException notBound(PciDevice device) {
        String driver = device.driver().map(name -> "is bound to " + name).orElse("has no driver");
        return new DoorbellException(device.address() + " " + driver + ", and only a function that is bound to vfio-pci"
                + " can be opened: run 'nicctl bind " + device.address() + "' as root");
    }

    static DoorbellException openAlready(PciAddress address) {
        return new DoorbellException(
                address + " is open already in this process: close it first, or share the one that is open");
    }

    /** {@code /dev/vfio/vfio} does not open. */
    static DoorbellException noContainer(KernelException e, Path file) {
        return switch (e.errno()) {
            case ENOENT, ENODEV, ENXIO ->
                new DoorbellException(
                        "VFIO is not loaded: " + file + " " + e.reason() + "; run 'modprobe vfio-pci' as root", e);
            case EACCES, EPERM -> noPermission(e, file);
            default -> cannotOpen(e, file);
        };
    }

    /** {@code /dev/vfio/12} does not open. */
    static DoorbellException noGroup(KernelException e, Path file, PciAddress address, PciBus bus) {
        return switch (e.errno()) {
            case EACCES, EPERM -> noPermission(e, file);
            case EBUSY -> busy(e, file, address, bus);
            case ENOENT ->
                new DoorbellException(
                        "there is no " + file + ", though " + address + " is bound to vfio-pci: a container must be"
                                + " given /dev/vfio as a whole; elsewhere unbind the function and bind it again",
                        e);
            default -> cannotOpen(e, file);
        };
    }

    private static DoorbellException busy(KernelException e, Path file, PciAddress address, PciBus bus) {
        String who = bus.group(bus.find(address).requireIommuGroup()).stream()
                .flatMap(member -> Holder.of(bus.root(), member.address().toString()).stream())
                .distinct()
                .map(holder -> holder.file().equals(file) ? holder.toString() : holder + " by way of " + holder.file())
                .collect(Collectors.joining(", "));
        return new DoorbellException(
                address + " is in use: " + file + " is held by "
                        + (who.isEmpty() ? "another process, which /proc does not show to this user" : who)
                        + "; end it, or open another function",
                e);
    }

    private static DoorbellException noPermission(KernelException e, Path file) {
        return new DoorbellException(
                "no permission to open " + file + describe(file) + ": " + e.reason() + "; as root run 'chown $USER "
                        + file + "', or for good write a udev rule:"
                        + " SUBSYSTEM==\"vfio\", OWNER=\"your user\"",
                e);
    }

    private static String describe(Path file) {
        try {
            PosixFileAttributes attributes = Files.readAttributes(file, PosixFileAttributes.class);
            return " (owner " + attributes.owner().getName() + ", group "
                    + attributes.group().getName() + ", mode " + PosixFilePermissions.toString(attributes.permissions())
                    + ")";
        } catch (IOException unknown) {
            return "";
        }
    }

    private static DoorbellException cannotOpen(KernelException e, Path file) {
        return new DoorbellException(
                "cannot open " + file + ": " + e.reason() + "; the kernel log (dmesg) may say more", e);
    }

    static DoorbellException notViable(PciDevice device, int group, List<PciDevice> members) {
        String others = members.stream()
                .filter(member -> !member.address().equals(device.address()))
                .filter(member -> member.driver()
                        .filter(driver -> !HARMLESS.contains(driver))
                        .isPresent())
                .map(member -> member.address() + " (" + member.driver().orElse("no driver") + ")")
                .collect(Collectors.joining(", "));
        return new DoorbellException("IOMMU group " + group + " of " + device.address() + " is not viable: "
                + (others.isEmpty() ? "the kernel uses a function of it" : "the kernel uses " + others + " of it")
                + ", and the IOMMU cannot keep the functions of a group apart: bind all of them to vfio-pci ('nicctl bind"
                + " ADDRESS'), or put the NIC into a slot with a group of its own");
    }

    static DoorbellException noIommuType(KernelException e) {
        return new DoorbellException(
                e.getMessage()
                        + switch (e.errno()) {
                            case EPERM ->
                                ": the platform does not remap interrupts, so a device could forge them; enable"
                                        + " interrupt remapping in the firmware, or accept it with 'modprobe"
                                        + " vfio_iommu_type1 allow_unsafe_interrupts=1'";
                            default -> ": the kernel log (dmesg) may say more";
                        },
                e);
    }

    /**
     * Memory cannot be mapped.
     *
     * @param size bytes that were to be mapped
     * @param mapped bytes that are mapped already, and count against the same limit
     * @param limit the memlock limit in bytes, or {@link Kernel#UNLIMITED}
     */
    static DoorbellException cannotMap(
            KernelException e, long size, long mapped, long limit, OptionalInt mappingLimit) {
        return switch (e.errno()) {
            case ENOMEM ->
                limit == Kernel.UNLIMITED || mapped + size <= limit
                        ? noMemory(e, size, mapped, limit)
                        : memlock(e, size, mapped, limit);
            case ENOSPC ->
                new DoorbellException(
                        e.getMessage() + ": the container takes no more than "
                                + mappingLimit.stream()
                                        .mapToObj(Integer::toString)
                                        .findFirst()
                                        .orElse("a certain number of")
                                + " mappings; allocate fewer and larger regions, or raise dma_entry_limit of module"
                                + " vfio_iommu_type1",
                        e);
            default -> e;
        };
    }

    /** Nothing that the limit could be blamed for, though what other parts of the process lock counts against it too. */
    private static DoorbellException noMemory(KernelException e, long size, long mapped, long limit) {
        String notTheLimit = limit == Kernel.UNLIMITED
                ? "no memlock limit applies to this process"
                : "the memlock limit of " + ByteSize.of(limit) + " is above the " + ByteSize.of(mapped + size)
                        + " that are mapped with this, unless something else in this process locks memory";
        return new DoorbellException(
                e.getMessage() + ": " + notTheLimit
                        + ", so the kernel has no memory left for the IOMMU's tables of these "
                        + ByteSize.of(size) + ", or a memory cgroup forbids it: see 'free -m', memory.max of the cgroup"
                        + " and the kernel log (dmesg); map less, or give the machine or the container more memory",
                e);
    }

    private static DoorbellException memlock(KernelException e, long size, long mapped, long limit) {
        long needed = mapped + size;
        return new DoorbellException(
                e.getMessage() + ": the memlock limit is " + ByteSize.of(limit) + ", and " + needed + " bytes ("
                        + ByteSize.of(needed) + ") are needed with what is mapped already; raise it with 'ulimit -l "
                        + (needed + 1023) / 1024 + "' as root before the start, with a line"
                        + " 'USER - memlock unlimited' in /etc/security/limits.conf, or with LimitMEMLOCK=infinity in a"
                        + " systemd unit",
                e);
    }
}
