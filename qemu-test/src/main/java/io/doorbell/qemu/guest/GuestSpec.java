package io.doorbell.qemu.guest;

import io.doorbell.qemu.link.Wire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a guest is made of, and QEMU's command line for it. {@link GuestMachineBuilder} says what the parts mean.
 *
 * @param peers the wires at whose other end this JVM listens
 * @param captures files by the index of the NIC whose frames they record
 * @param more arguments for QEMU
 */
record GuestSpec(
        int memoryMiB,
        int cpus,
        int hugePages,
        boolean terminal,
        boolean instructionClock,
        List<GuestNic> nics,
        List<Wire> peers,
        Map<Integer, Path> captures,
        List<String> more) {

    private static final int FIRST_PORT_SLOT = 0x10;

    GuestSpec {
        nics = List.copyOf(nics);
        peers = List.copyOf(peers);
        captures = Map.copyOf(captures);
        more = List.copyOf(more);
    }

    /** QEMU's command line after the executable; what it names is in {@code folder}. */
    List<String> arguments(GuestFolder folder, GuestKernel kernel) {
        List<String> line = new ArrayList<>();
        line.addAll(List.of("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"));
        line.addAll(List.of("-machine", "q35,kernel-irqchip=split", "-cpu", "max"));
        line.addAll(accelerator());
        line.addAll(List.of("-m", memoryMiB + "M", "-smp", String.valueOf(cpus)));
        line.addAll(List.of("-device", "intel-iommu,intremap=on,caching-mode=on,device-iotlb=on"));
        line.addAll(List.of("-kernel", kernel.image().toString()));
        line.addAll(List.of("-initrd", folder.initramfs().toString()));
        line.addAll(List.of("-append", kernelCommandLine()));
        line.addAll(List.of("-serial", terminal ? "mon:stdio" : "stdio"));
        line.addAll(List.of("-qmp", "unix:" + value(folder.qmp()) + ",server=on,wait=off"));
        line.addAll(List.of("-device", "virtio-serial-pci"));
        line.addAll(List.of("-chardev", "socket,id=agent,path=" + value(folder.agent())));
        line.addAll(List.of("-device", "virtserialport,chardev=agent,name=agent"));
        line.addAll(List.of("-virtfs", shared("host", Path.of("/")) + ",readonly=on"));
        line.addAll(List.of("-virtfs", shared("jobs", folder.jobs())));
        nics.forEach(nic -> line.addAll(nic(nic, folder)));
        peers.forEach(wire -> line.addAll(hubPeer(wire, folder)));
        captures.forEach((nic, file) -> line.addAll(List.of(
                "-object", "filter-dump,id=%s,netdev=net%d,file=%s".formatted(capture(nic), nic, value(file)))));
        line.addAll(more);
        return line;
    }

    /** QEMU's name for what records a NIC's frames. */
    static String capture(int nic) {
        return "dump" + nic;
    }

    private static List<String> nic(GuestNic nic, GuestFolder folder) {
        String cable = switch (nic.wire()) {
            case Wire.Cable there -> stream(nic.netdev(), folder.socket(there));
            case Wire.Hub(int number) -> "hubport,id=%s,hubid=%d".formatted(nic.netdev(), number);
        };
        String port = "pcie-root-port,id=%s,chassis=%d,addr=%#x"
                .formatted(nic.port(), nic.index() + 1, FIRST_PORT_SLOT + nic.index());
        String device = "%s,id=%s,bus=%s,netdev=%s,mac=%s"
                .formatted(nic.model(), nic.id(), nic.port(), nic.netdev(), nic.mac());
        // Nobody boots from it, and looking for somebody who does takes time.
        device += ",romfile=";
        if (nic.driver().startsWith("virtio-")) {
            // Only so does the IOMMU stand between a virtio device and the guest's memory.
            device += ",disable-legacy=on,iommu_platform=on";
        }
        return List.of("-netdev", cable, "-device", port, "-device", device);
    }

    private static List<String> hubPeer(Wire wire, GuestFolder folder) {
        return switch (wire) {
            case Wire.Cable cable -> List.of();
            case Wire.Hub(int number) ->
                List.of(
                        "-netdev", stream("hubpeer" + number, folder.socket(wire)),
                        "-netdev", "hubport,id=hubplug%d,hubid=%d,netdev=hubpeer%d".formatted(number, number, number));
        };
    }

    private static String stream(String id, Path socket) {
        return "stream,id=%s,server=off,addr.type=unix,addr.path=%s".formatted(id, value(socket));
    }

    private static String shared(String tag, Path folder) {
        return "local,id=%s,mount_tag=%s,path=%s,security_model=none,multidevs=remap"
                .formatted(tag, tag, value(folder));
    }

    private String kernelCommandLine() {
        // A kernel in trouble ends the guest (panic=-1 with -no-reboot), after telling the console why.
        // On a busy machine the emulated timer may miss the moment in which it is tried out, which the kernel takes as
        // a
        // reason to panic.
        return "console=ttyS0 quiet panic=-1 oops=panic no_timer_check intel_iommu=on mitigations=off hugepages="
                + hugePages;
    }

    /** KVM where it can work, emulation otherwise: in a virtual machine, {@code /dev/kvm} may be there and not work. */
    private List<String> accelerator() {
        if (instructionClock) {
            return List.of("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off");
        }
        List<String> emulation = List.of("-accel", "tcg,thread=multi");
        if (!Files.isWritable(Path.of("/dev/kvm")) || !processorRunsGuests()) {
            return emulation;
        }
        // QEMU takes the first that works.
        return Stream.concat(Stream.of("-accel", "kvm"), emulation.stream()).toList();
    }

    private static boolean processorRunsGuests() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.anyMatch(line -> line.startsWith("flags") && line.matches(".*\\b(vmx|svm)\\b.*"));
        } catch (IOException | UncheckedIOException e) {
            return false;
        }
    }

    /** A value in a list of QEMU's, where a comma would begin the next property. */
    private static String value(Path path) {
        return path.toAbsolutePath().toString().replace(",", ",,");
    }
}
