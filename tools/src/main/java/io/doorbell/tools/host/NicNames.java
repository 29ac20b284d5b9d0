package io.doorbell.tools.host;

import io.doorbell.DoorbellException;
import io.doorbell.frame.DriverFeature;
import io.doorbell.frame.DriverFeature.Evidence;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicProvider;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciNames;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What to call a NIC, and who drives it. */
public record NicNames(PciNames names, List<NicProvider> providers) {

    /** Vendor and device by {@code pci.ids}, where the machine has one; else what Doorbell's driver calls it, if any. */
    public String of(PciDevice nic) {
        String name = Stream.concat(names.vendor(nic.id()).stream(), names.device(nic.id()).stream())
                .collect(Collectors.joining(" "));
        return name.isEmpty() ? candidate(nic).map(NicCandidate::model).orElse("") : name;
    }

    /** Doorbell's driver for it. */
    public Optional<String> driver(PciDevice nic) {
        return candidate(nic).map(NicCandidate::driver);
    }

    /** Doorbell's driver for it, and whether nothing about this model is known but its register tables; for people. */
    public Optional<String> driverInWords(PciDevice nic) {
        return candidate(nic).map(candidate -> candidate.driver() + (isProved(candidate) ? "" : ", by register table"));
    }

    private static boolean isProved(NicCandidate candidate) {
        return candidate.features().isEmpty()
                || candidate.features().stream()
                        .anyMatch(feature -> feature.evidence().equals(Evidence.PROVED));
    }

    /** What that driver does with it beyond moving frames. */
    public List<DriverFeature> features(PciDevice nic) {
        return candidate(nic).map(NicCandidate::features).orElse(List.of());
    }

    private Optional<NicCandidate> candidate(PciDevice nic) {
        try {
            return providers.stream()
                    .flatMap(provider -> provider.find(nic.address().toString()).stream())
                    .findFirst();
        } catch (DoorbellException e) {
            return Optional.empty(); // it has gone since it was listed
        }
    }
}
