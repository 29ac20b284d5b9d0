package io.doorbell.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.jr.ob.JSON;
import io.doorbell.frame.Abilities;
import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.FlowRules;
import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowField;
import io.doorbell.frame.flow.FlowKind;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.tools.NicCtl;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.CapturedConsole;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlowsCommandTest {

    /** As an 82580 has them. */
    private static final List<FlowCapacity> KINDS = List.of(
            new FlowCapacity(FlowKind.ETHER_TYPE, 8, 8, 0),
            new FlowCapacity(FlowKind.BYTES, 8, 8, 7, Set.of(), 128),
            new FlowCapacity(FlowKind.TUPLE, 8, 8, 7, Set.of(FlowField.DESTINATION_PORT, FlowField.PROTOCOL), 0),
            new FlowCapacity(FlowKind.SYN, 1, 1, 1));

    private final CapturedConsole console = new CapturedConsole();
    private final Context context = Context.ofProcess(console.console());

    /** Rules that nobody adds. */
    private record Kinds(List<FlowCapacity> capacity) implements FlowRules {

        @Override
        public int add(FlowRule rule) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void remove(int id) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void clear() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Map<Integer, FlowRule> rules() {
            throw new UnsupportedOperationException();
        }
    }

    /** One that has abilities and nothing else. */
    private static Nic nic() {
        Abilities abilities = Abilities.of("test").with(FlowRules.class, new Kinds(KINDS));
        return (Nic) Proxy.newProxyInstance(
                Nic.class.getClassLoader(),
                new Class<?>[] {Nic.class},
                (proxy, method, arguments) -> method.getName().equals("abilities")
                        ? abilities
                        : InvocationHandler.invokeDefault(proxy, method, arguments));
    }

    @Test
    void saysWhichKindsThereAre() {
        FlowsCommand.show(context, nic(), false);
        assertThat(console.out().lines().map(line -> line.replaceAll(" +", " ").strip()))
                .containsExactly(
                        "KIND RULES QUEUES PRIORITIES COMPARES",
                        "ethertype 8 0-7 0 EtherType",
                        "bytes 8 0-7 0-7 any of the first 128 bytes",
                        "tuple 8 0-7 0-7 protocol, destination port",
                        "syn 1 0 0-1 SYN flag of TCP");
    }

    @Test
    void saysTheSameToMachines() throws IOException {
        FlowsCommand.show(context, nic(), true);
        List<Object> kinds = JSON.std.listOfFrom(Object.class, console.out());
        assertThat(kinds).hasSize(4);
        assertThat(kinds.get(1)).isEqualTo(json("bytes", 8, 8, 7, List.of(), 128));
        assertThat(kinds.get(2)).isEqualTo(json("tuple", 8, 8, 7, List.of("protocol", "destination port"), 0));
    }

    private static Map<String, Object> json(
            String kind, int rules, int queues, int highestPriority, List<String> fields, int reach) {
        return Map.of(
                "kind", kind,
                "rules", rules,
                "queues", queues,
                "highestPriority", highestPriority,
                "fields", fields,
                "reach", reach);
    }

    @Test
    void saysThatANicKnowsNoRules(@TempDir Path folder) {
        assertThat(NicCtl.run(context, List.of("flows", "vhost-user-backend:" + folder.resolve("socket"))))
                .isEqualTo(1);
        assertThat(console.err()).contains("has no FlowRules: ");
    }
}
