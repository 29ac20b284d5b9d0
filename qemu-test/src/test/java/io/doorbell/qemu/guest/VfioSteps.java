package io.doorbell.qemu.guest;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.pci.Bar;
import io.doorbell.pci.Capability;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.vfio.Vfio;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;

/**
 * The guest's half of {@link VfioIT}: does step after step, and prints what became of each. A step is a word and an
 * operand, such as {@code bind 0000:01:00.0}; one that fails prints {@code error} and the message, and the next follows.
 */
final class VfioSteps {

    /** Plain storage in QEMU's model (82576 Datasheet, 8.2.9). */
    private static final int LEDCTL = 0xe00;

    private static final DriverBinding BINDING = new DriverBinding(PciBus.system());

    private VfioSteps() {}

    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < arguments.length; i += 2) {
            try {
                step(arguments[i], arguments[i + 1]);
            } catch (DoorbellException e) {
                System.out.println("error " + e.getMessage());
            }
        }
    }

    private static void step(String verb, String operand) throws Exception {
        switch (verb) {
            case "hugepages" -> Files.writeString(Path.of("/proc/sys/vm/nr_hugepages"), operand);
            case "bind" -> BINDING.bind(PciAddress.parse(operand), false);
            case "restore" ->
                System.out.println("restored " + operand + " to "
                        + BINDING.restore(PciAddress.parse(operand)).orElse("no driver"));
            case "open" -> Vfio.open(PciAddress.parse(operand)).close();
            case "allocate" -> allocateOneMebibyte(PciAddress.parse(operand));
            case "hold" -> hold(PciAddress.parse(operand));
            case "tour" -> tour(PciAddress.parse(operand));
            case "pair" -> pair(operand.split(",", -1));
            default -> throw new IllegalArgumentException(verb);
        }
    }

    private static void allocateOneMebibyte(PciAddress address) {
        try (PciFunction function = Vfio.open(address)) {
            function.dma().allocate(1 << 20);
        }
    }

    /** Until the process is ended from outside. */
    private static void hold(PciAddress address) throws InterruptedException {
        PciFunction function = Vfio.open(address);
        function.dma().allocate(4096);
        function.config().busMaster(true);
        System.out.println("holding in " + ProcessHandle.current().pid());
        Thread.sleep(Duration.ofMinutes(5));
    }

    /** Two functions of one group, which close one after the other. */
    private static void pair(String... addresses) {
        PciAddress first = PciAddress.parse(addresses[0]);
        PciAddress second = PciAddress.parse(addresses[1]);
        PciFunction one = Vfio.open(first);
        PciFunction two = Vfio.open(second);
        DmaRegion here = one.dma().allocate(4096);
        DmaRegion there = two.dma().allocate(4096);
        System.out.println(
                here.deviceAddress() == there.deviceAddress() ? "clash" : "both, at different device addresses");
        one.close();
        there.segment().set(ValueLayout.JAVA_INT, 0, two.bar(4).read32(0));
        System.out.println("the second alone");
        Vfio.open(first).close();
        two.close();
        Vfio.open(first).close();
        System.out.println("the first again");
    }

    private static void tour(PciAddress address) {
        try (PciFunction function = Vfio.open(address)) {
            look(function);
            touch(function);
            allocate(function);
            reset(function);
        }
        try (PciFunction again = Vfio.open(address)) {
            again.dma().allocate(1);
            System.out.println("opened again, STATUS " + (again.bar(0).read32(8) == -1 ? "absent" : "present"));
        }
    }

    private static void look(PciFunction function) {
        PciDevice device = PciBus.system().find(function.address());
        System.out.println("id " + function.id());
        System.out.println("config " + function.config().size() + " bytes");
        System.out.println("capabilities "
                + function.config().capabilities().stream()
                        .map(Capability::name)
                        .collect(Collectors.joining(", ")));
        System.out.println("interrupts " + function.interrupts());
        System.out.println(device.resources().stream()
                .filter(resource -> !resource.isIo() && resource.number() < 6)
                .filter(resource ->
                        resource.size() == function.bar(resource.number()).size())
                .filter(resource -> resource.number() != 1)
                .map(resource -> "BAR " + resource.number() + " " + resource.size() + " bytes")
                .collect(Collectors.joining(", ")));
    }

    private static void touch(PciFunction function) {
        Bar bar = function.bar(0);
        bar.write32(LEDCTL, 0x12345678);
        // Whole registers alone: QEMU's igb answers a narrow read with the low bits of the register, wherever it aims.
        System.out.printf("LEDCTL %x%n", bar.read32(LEDCTL));
        // IOADDR and IODATA: the same registers through I/O ports, which cannot be mapped (82576 Datasheet,
        // 3.1.1.1).
        Bar ports = function.bar(2);
        ports.write32(0, LEDCTL);
        System.out.printf("ports see LEDCTL %x%n", ports.read32(4));
        // The page with the MSI-X table, mapped or not. Vector control: bit 0 is the mask.
        System.out.println("MSI-X vector 0 is " + ((function.bar(3).read32(12) & 1) == 1 ? "masked" : "not masked"));
    }

    private static void allocate(PciFunction function) {
        try (DmaRegion region = function.dma().allocate(1);
                Arena arena = Arena.ofShared()) {
            System.out.printf(
                    "region of %d bytes on pages of %d, %s%n",
                    region.segment().byteSize(),
                    region.pageSize(),
                    region.deviceAddress() % region.pageSize() == 0 ? "aligned so" : "not aligned");
            try (DmaRegion registered = function.dma().register(arena.allocate(8192, 4096))) {
                System.out.println("registered " + registered.segment().byteSize() + " bytes");
            }
        }
    }

    private static void reset(PciFunction function) {
        function.config().busMaster(true);
        boolean done = function.reset();
        int command = function.config().read16(ConfigSpace.COMMAND);
        System.out.printf(
                "reset %s, bus mastering %s, LEDCTL %s%n",
                done,
                (command & ConfigSpace.COMMAND_BUS_MASTER) == 0 ? "off" : "on",
                function.bar(0).read32(LEDCTL) == 0x12345678 ? "as before" : "of power-on");
    }
}
