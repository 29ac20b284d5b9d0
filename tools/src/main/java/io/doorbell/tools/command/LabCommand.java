package io.doorbell.tools.command;

import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.lab.Lab;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code nicctl lab}: a shell in a virtual machine with NICs. */
@Command(
        name = "lab",
        header = "Opens a shell in a virtual machine that has NICs.",
        description = {
            "The machine has an IOMMU and two NICs, igb and virtio-net, joined by a hub. It sees this machine's files"
                    + " and changes none of them. Leave it with 'exit'."
        })
public final class LabCommand implements Callable<Integer> {

    private final Context context;

    public LabCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        context.console().err().println("booting a virtual machine; 'exit' leaves it");
        try (GuestMachine guest = GuestMachine.builder()
                .nic("igb", Lab.IGB.mac(), Lab.IGB.hub())
                .nic("virtio-net-pci", Lab.IGB.kernelMac(), Lab.IGB.hub())
                .terminal()
                .start()) {
            Lab.loadDrivers(guest);
            // The launcher says where it is, so that the shell finds it too.
            guest.shell(Path.of(System.getProperty("doorbell.home", "")).toAbsolutePath());
        }
        return 0;
    }
}
