package io.doorbell.tools;

import io.doorbell.DoorbellException;
import io.doorbell.frame.spi.NicProvider;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciNames;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What to call a NIC, and who drives it. */
record NicNames(PciNames names, List<NicProvider> providers) {

    /** Vendor and device by {@code pci.ids}, where the machine has one; else what Doorbell's driver calls it, if any. */
    String of(PciDevice nic) {
        String name = Stream.concat(names.vendor(nic.id()).stream(), names.device(nic.id()).stream())
                .collect(Collectors.joining(" "));
        return name.isEmpty()
                ? provider(nic)
                        .flatMap(provider -> provider.model(nic.address().toString()))
                        .orElse("")
                : name;
    }

    /** Doorbell's driver for it. */
    Optional<NicProvider> provider(PciDevice nic) {
        return providers.stream().filter(provider -> claims(provider, nic)).findFirst();
    }

    private static boolean claims(NicProvider provider, PciDevice nic) {
        try {
            return provider.claims(nic.address().toString());
        } catch (DoorbellException e) {
            return false; // it has gone since it was listed
        }
    }
}
