package io.doorbell.frame;

import io.doorbell.DoorbellException;
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
     * The NIC of this name, if this driver is for it. Nothing is opened or changed.
     *
     * @throws DoorbellException when the name is one that this driver should know but nothing is there, or what is
     *     there is no NIC
     */
    Optional<NicCandidate> find(String name);

    /**
     * What there is by this name, in one line, for whoever looked for a NIC there in vain; empty for names of a kind that
     * this driver knows nothing of.
     */
    default Optional<String> describe(String name) {
        return Optional.empty();
    }

    /** All drivers on the module or class path. */
    static List<NicProvider> all() {
        List<NicProvider> providers = new ArrayList<>();
        ServiceLoader.load(NicProvider.class).forEach(providers::add);
        return List.copyOf(providers);
    }
}
