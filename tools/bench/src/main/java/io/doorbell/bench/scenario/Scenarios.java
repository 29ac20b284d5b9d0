package io.doorbell.bench.scenario;

import io.doorbell.DoorbellException;
import io.doorbell.bench.workload.Parameter;
import io.doorbell.bench.workload.Workload;
import java.util.List;
import java.util.stream.Collectors;

/** All that can be measured. */
public final class Scenarios {

    private static final List<Scenario> ALL = List.of(
            VhostUserScenario.withDpdk(Workload.RECEIVE),
            VhostUserScenario.withDpdk(Workload.SEND),
            VhostUserScenario.withDpdk(Workload.FORWARD),
            VhostUserScenario.withNull(Workload.RECEIVE),
            VhostUserScenario.withNull(Workload.SEND),
            VhostUserScenario.withNull(Workload.FORWARD),
            new IgbScenario(),
            new DriverScenario(256),
            new DriverScenario(1024),
            new LatencyScenario(),
            new StartScenario(),
            new SocketsScenario(),
            new ScaleScenario(Parameter.QUEUES),
            new ScaleScenario(Parameter.POOL),
            new ScaleScenario(Parameter.BATCH),
            new ScaleScenario(Parameter.SIZE));

    private Scenarios() {}

    public static List<Scenario> all() {
        return ALL;
    }

    /**
     * Those with these names, or all if there are none. A name may be the beginning of some, up to a hyphen.
     *
     * @throws DoorbellException when there is no such scenario
     */
    public static List<Scenario> named(List<String> names) {
        if (names.isEmpty()) {
            return ALL;
        }
        for (String name : names) {
            if (ALL.stream().noneMatch(scenario -> isNamed(scenario, name))) {
                throw new DoorbellException("there is no scenario '" + name + "'; there are "
                        + ALL.stream().map(Scenario::name).collect(Collectors.joining(", ")));
            }
        }
        return ALL.stream()
                .filter(scenario -> names.stream().anyMatch(name -> isNamed(scenario, name)))
                .toList();
    }

    private static boolean isNamed(Scenario scenario, String name) {
        return (scenario.name() + "-").startsWith(name + "-");
    }
}
