package io.doorbell.frame.spi;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** What a driver registers with {@link ServiceLoader}, so that applications name NICs and not drivers. */
public interface NicProvider {

    /** The driver's name, such as {@code igb}. */
    String driver();

    /** In a few words, what NICs it drives. */
    String supports();

    /**
     * Whether {@code name} is a NIC of this driver.
     *
     * @throws DoorbellException when the name is one that this driver should know but nothing is there, or what is
     *     there is no NIC
     */
    boolean claims(String name);

    /** What a NIC that it claims is called, as far as that is known without opening it: {@code Intel 82576}. */
    default Optional<String> model(String name) {
        return Optional.empty();
    }

    /**
     * What there is by this name, in one line, for whoever looked for a NIC there in vain; empty for names of a kind that
     * this driver knows nothing of.
     */
    default Optional<String> describe(String name) {
        return Optional.empty();
    }

    /**
     * Opens a NIC that it claims.
     *
     * @throws DoorbellException when the NIC cannot be taken or does not come up
     */
    Nic open(String name, NicConfig config);

    /**
     * NICs to practise on before one that it claims is opened ({@link Nic#warmUp}): one for each way in which that may
     * turn out to work. The caller closes all of them.
     *
     * @return empty when the driver has none for this name
     * @throws DoorbellException when the NIC could not be opened so either
     */
    default List<Practice> practice(String name, NicConfig config) {
        return List.of();
    }

    /** All drivers on the module or class path. */
    static List<NicProvider> all() {
        List<NicProvider> providers = new ArrayList<>();
        ServiceLoader.load(NicProvider.class).forEach(providers::add);
        return List.copyOf(providers);
    }

    /**
     * The driver for a NIC.
     *
     * @throws DoorbellException when no driver claims it
     */
    static NicProvider forName(String name) {
        List<NicProvider> providers = all();
        for (NicProvider provider : providers) {
            if (provider.claims(name)) {
                return provider;
            }
        }
        String what = providers.stream()
                .flatMap(provider -> provider.describe(name).stream())
                .findFirst()
                .orElse("'" + name + "'");
        StringBuilder message = new StringBuilder("no driver for " + what);
        if (providers.isEmpty()) {
            throw new DoorbellException(message.append(": no driver is on the class path; add doorbell-driver-igb")
                    .toString());
        }
        message.append("; Doorbell drives");
        for (NicProvider provider : providers) {
            message.append("\n  ").append(provider.driver()).append(": ").append(provider.supports());
        }
        throw new DoorbellException(message.toString());
    }
}
