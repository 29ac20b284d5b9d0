package io.doorbell.frame.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.DoorbellException;
import java.net.Inet4Address;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever a rule says, its text says the same, and no text breaks the parser. */
class FlowRulePropertyTest {

    @Property
    void aRuleIsWhatIsParsedFromItsText(@ForAll("rules") FlowRule rule) {
        assertThat(FlowRule.parse(rule.toString())).isEqualTo(rule).hasSameHashCodeAs(rule);
        assertThat(FlowMatch.parse(rule.match().toString())).isEqualTo(rule.match());
    }

    @Property
    void whateverIsParsedPrintsSoThatItIsParsedAgain(@ForAll("texts") String text) {
        FlowRule rule;
        try {
            rule = FlowRule.parse(text);
        } catch (DoorbellException refused) {
            assertThat(refused).hasMessageContaining("'");
            return;
        }
        assertThat(FlowRule.parse(rule.toString())).isEqualTo(rule);
    }

    @Property
    void differentMatchesDifferInTheirText(@ForAll("rules") FlowRule one, @ForAll("rules") FlowRule other) {
        assertThat(one.toString().equals(other.toString())).isEqualTo(one.equals(other));
    }

    @Provide
    Arbitrary<FlowRule> rules() {
        return Combinators.combine(
                        matches(),
                        Arbitraries.integers().between(0, 99_999),
                        Arbitraries.integers().between(0, 7))
                .as(FlowRule::new);
    }

    /** Words of the language in any order, and others. */
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> words = Arbitraries.of(
                "tcp",
                "udp",
                "ip",
                "ip/47",
                "any",
                "any:80",
                "10.0.0.1",
                ">",
                "ethertype",
                "0x88f7",
                "syn",
                "bytes",
                "12=88cc",
                "0=01",
                "to",
                "queue",
                "1",
                ",",
                "priority",
                "7",
                "=",
                ":",
                "",
                "\u0663");
        Arbitrary<String> tails = Arbitraries.of("", " to queue 1", " to queue 2, priority 3");
        return Combinators.combine(words.list().ofMaxSize(6).map(list -> String.join(" ", list)), tails)
                .as(String::concat);
    }

    private static Arbitrary<FlowMatch> matches() {
        Arbitrary<FlowMatch> etherTypes =
                Arbitraries.integers().between(0x600, 0xffff).map(EtherTypeMatch::new);
        Arbitrary<FlowMatch> bytes = Arbitraries.maps(
                        Arbitraries.integers().between(0, 200),
                        Arbitraries.integers().between(0, 255))
                .ofMinSize(1)
                .map(map -> new BytesMatch(new TreeMap<>(map)));
        return Arbitraries.oneOf(etherTypes, bytes, withPorts(), withoutPorts(), Arbitraries.just(new SynMatch()));
    }

    private static Arbitrary<FlowMatch> withPorts() {
        Arbitrary<OptionalInt> protocols =
                Arbitraries.of(TupleMatch.TCP, TupleMatch.UDP, TupleMatch.SCTP).map(OptionalInt::of);
        Arbitrary<OptionalInt> ports = Arbitraries.integers()
                .between(0, 0xffff)
                .optional()
                .map(port -> port.map(OptionalInt::of).orElse(OptionalInt.empty()));
        Arbitrary<FlowEndpoint> ends =
                Combinators.combine(addresses().optional(), ports).as(FlowEndpoint::new);
        return Combinators.combine(protocols, ends, ends).as(TupleMatch::new);
    }

    private static Arbitrary<FlowMatch> withoutPorts() {
        Arbitrary<OptionalInt> protocols = Arbitraries.integers()
                .between(0, 255)
                .optional()
                .map(protocol -> protocol.map(OptionalInt::of).orElse(OptionalInt.empty()));
        Arbitrary<FlowEndpoint> sources =
                addresses().map(address -> new FlowEndpoint(Optional.of(address), OptionalInt.empty()));
        return Combinators.combine(protocols, sources)
                .as((protocol, source) -> new TupleMatch(protocol, source, FlowEndpoint.ANY));
    }

    private static Arbitrary<Inet4Address> addresses() {
        return Arbitraries.integers()
                .between(0, 255)
                .list()
                .ofSize(4)
                .map(list -> Inet4Address.ofLiteral(
                        list.get(0) + "." + list.get(1) + "." + list.get(2) + "." + list.get(3)));
    }
}
