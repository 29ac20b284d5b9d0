package io.doorbell.frame.flow;

import io.doorbell.DoorbellException;
import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Packets by protocol, and by where they are from and go: {@code tcp 10.0.0.1:80 > any}. Fragments behind the first one have
 * no ports, and do not match where there is one to compare.
 *
 * @param protocol IP's number for it, 0 to 255; empty for any
 * @param source where they are from
 * @param destination where they go
 */
public record TupleMatch(OptionalInt protocol, FlowEndpoint source, FlowEndpoint destination) implements FlowMatch {

    /** IP's numbers for the protocols that have ports. */
    public static final int TCP = 6;

    /** See {@link #TCP}. */
    public static final int UDP = 17;

    /** See {@link #TCP}. */
    public static final int SCTP = 132;

    private static final int LAST_PROTOCOL = 255;
    private static final String NUMBERED = "ip/";

    /** @throws DoorbellException when there is nothing to compare, or a port without a protocol that has any */
    public TupleMatch {
        if (protocol.isPresent() && (protocol.getAsInt() < 0 || protocol.getAsInt() > LAST_PROTOCOL)) {
            throw new DoorbellException(
                    protocol.getAsInt() + " is no protocol of IP: they go from 0 to " + LAST_PROTOCOL);
        }
        boolean hasPorts = protocol.isPresent()
                && (protocol.getAsInt() == TCP || protocol.getAsInt() == UDP || protocol.getAsInt() == SCTP);
        String words = words(protocol, source, destination);
        if (!hasPorts && (source.port().isPresent() || destination.port().isPresent())) {
            throw new DoorbellException(
                    "'" + words + "' has a port, and not all packets that it is about do: write tcp, udp or sctp");
        }
        if (protocol.isEmpty() && source.equals(FlowEndpoint.ANY) && destination.equals(FlowEndpoint.ANY)) {
            throw new DoorbellException("'" + words + "' is about all packets:"
                    + " name a protocol, an address or a port, or spread them by RSS");
        }
    }

    /** Packets of TCP. */
    public static TupleMatch tcp(FlowEndpoint source, FlowEndpoint destination) {
        return new TupleMatch(OptionalInt.of(TCP), source, destination);
    }

    /** Packets of UDP. */
    public static TupleMatch udp(FlowEndpoint source, FlowEndpoint destination) {
        return new TupleMatch(OptionalInt.of(UDP), source, destination);
    }

    static TupleMatch parse(String text, String... words) {
        OptionalInt protocol = switch (words[0]) {
            case "tcp" -> OptionalInt.of(TCP);
            case "udp" -> OptionalInt.of(UDP);
            case "sctp" -> OptionalInt.of(SCTP);
            case "ip" -> OptionalInt.empty();
            default -> numbered(text, words[0]);
        };
        if (words.length != 4 || !words[2].equals(">")) {
            throw FlowText.wrong(text, "behind '" + words[0] + "' come a source, '>', and a destination");
        }
        return new TupleMatch(protocol, FlowEndpoint.parse(text, words[1]), FlowEndpoint.parse(text, words[3]));
    }

    private static OptionalInt numbered(String text, String word) {
        if (!word.startsWith(NUMBERED)) {
            throw FlowText.wrong(text, "'" + word + "' is neither a kind of match nor a protocol");
        }
        return OptionalInt.of(
                FlowText.number(text, word.substring(NUMBERED.length()), "protocol of IP", LAST_PROTOCOL));
    }

    @Override
    public FlowKind kind() {
        return FlowKind.TUPLE;
    }

    /** What it compares. */
    public Set<FlowField> fields() {
        Set<FlowField> fields = EnumSet.noneOf(FlowField.class);
        add(fields, FlowField.PROTOCOL, protocol.isPresent());
        add(fields, FlowField.SOURCE_ADDRESS, source.address().isPresent());
        add(fields, FlowField.SOURCE_PORT, source.port().isPresent());
        add(fields, FlowField.DESTINATION_ADDRESS, destination.address().isPresent());
        add(fields, FlowField.DESTINATION_PORT, destination.port().isPresent());
        return fields;
    }

    private static void add(Set<FlowField> fields, FlowField field, boolean compared) {
        if (compared) {
            fields.add(field);
        }
    }

    private static String words(OptionalInt protocol, FlowEndpoint source, FlowEndpoint destination) {
        String name = protocol.isEmpty()
                ? "ip"
                : switch (protocol.getAsInt()) {
                    case TCP -> "tcp";
                    case UDP -> "udp";
                    case SCTP -> "sctp";
                    default -> NUMBERED + protocol.getAsInt();
                };
        return name + " " + source + " > " + destination;
    }

    @Override
    public String toString() {
        return words(protocol, source, destination);
    }
}
