package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.util.List;

/** A NIC that a driver has found and that is not open. */
public interface NicCandidate {

    /** What it is called; {@link Nic#name} once it is open. */
    String name();

    /** The name of its driver, such as {@code igb}. */
    String driver();

    /** Its model, as its maker calls it, as far as that is known without opening it: {@code Intel 82576}. */
    String model();

    /**
     * Opens and starts it.
     *
     * @throws DoorbellException when it cannot be taken, does not come up, or cannot do what the configuration says
     */
    Nic open(NicConfig config);

    /**
     * The NIC of this name.
     *
     * @throws DoorbellException when no driver is for it; the message says what is there, and what there are drivers for
     */
    static NicCandidate named(String name) {
        List<NicProvider> providers = NicProvider.all();
        return providers.stream()
                .flatMap(provider -> provider.find(name).stream())
                .findFirst()
                .orElseThrow(() -> noDriver(name, providers));
    }

    private static DoorbellException noDriver(String name, List<NicProvider> providers) {
        String what = providers.stream()
                .flatMap(provider -> provider.describe(name).stream())
                .findFirst()
                .orElse("'" + name + "'");
        StringBuilder message = new StringBuilder("no driver for " + what);
        if (providers.isEmpty()) {
            return new DoorbellException(message.append(": no driver is on the class path; add doorbell-driver-igb")
                    .toString());
        }
        message.append("; Doorbell drives");
        for (NicProvider provider : providers) {
            message.append("\n  ").append(provider.driver()).append(": ").append(provider.supports());
        }
        return new DoorbellException(message.toString());
    }
}
