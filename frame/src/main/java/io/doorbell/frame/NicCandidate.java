package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A NIC that a driver has found and that is not open. */
public interface NicCandidate {

    /** What it is called; {@link Nic#name} once it is open. */
    String name();

    /** The name of its driver, such as {@code igb}. */
    String driver();

    /** Its model, as its maker calls it, as far as that is known without opening it: {@code Intel 82576}. */
    String model();

    /**
     * What its driver does with this model beyond moving frames, and how far that is known to work; empty where the device
     * says itself what it offers ({@link io.doorbell.frame.ability.FeatureReport}).
     */
    default List<DriverFeature> features() {
        return List.of();
    }

    /** The options that its driver knows; its device may still be unable to do what one of them asks for. */
    Set<NicOption<?>> supportedOptions();

    /**
     * Opens and starts it.
     *
     * @throws DoorbellException when it cannot be taken, does not come up, or cannot do what the configuration says
     */
    default Nic open(NicConfig config) {
        requireSupported(config);
        config.pool().filter(FramePool::isClosed).ifPresent(pool -> {
            throw new DoorbellException("cannot open " + name() + " with a pool that is closed (" + pool
                    + "): close the pool after all NICs that use it");
        });
        return take(config);
    }

    /** For drivers: opens and starts it; all demands of the configuration are among {@link #supportedOptions}. */
    Nic take(NicConfig config);

    /**
     * Checks a configuration against {@link #supportedOptions}, as {@link #open} does.
     *
     * @throws DoorbellException when it demands something that the driver does not know
     */
    default void requireSupported(NicConfig config) {
        for (NicOption<?> option : config.options()) {
            if (option.isDemand() && !supportedOptions().contains(option)) {
                throw new DoorbellException("the driver of " + name() + " (" + driver() + ", " + model()
                        + ") does not support the option " + option + shown(config.get(option)) + ": "
                        + option.remedy());
            }
        }
    }

    private static String shown(Optional<?> value) {
        return value.filter(Set.class::isInstance).map(set -> " " + set).orElse("");
    }

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
