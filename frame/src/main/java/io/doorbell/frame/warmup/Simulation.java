package io.doorbell.frame.warmup;

import io.doorbell.DoorbellException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicProvider;
import java.util.List;
import java.util.stream.Stream;

/** What a {@link NicProvider} implements too if its driver has simulated NICs, for {@link WarmUp}. */
public interface Simulation {

    /**
     * Opens simulated NICs: one for each way in which the real one may turn out to work. The caller closes all of them.
     *
     * @param name as {@link NicProvider#find} takes it; nothing need be there
     * @return empty where there is none for a name of this kind
     * @throws DoorbellException when a NIC could not be opened with this configuration either
     */
    List<SimulatedNic> simulate(String name, NicConfig config);

    /** The simulated NICs of a driver, or none where it has none. */
    static List<SimulatedNic> of(String driver, String name, NicConfig config) {
        return NicProvider.all().stream()
                .filter(provider -> provider.driver().equals(driver))
                .flatMap(provider -> provider instanceof Simulation simulation
                        ? simulation.simulate(name, config).stream()
                        : Stream.empty())
                .toList();
    }
}
