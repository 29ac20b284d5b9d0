package io.doorbell.frame.flow;

import io.doorbell.DoorbellException;
import java.net.Inet4Address;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * Where a packet is from, or where it goes: {@code 10.0.0.1:80}, {@code 10.0.0.1}, {@code any:80} or {@code any}.
 *
 * @param address empty for any, of IPv6 too where the NIC knows it
 * @param port 0 to 65535; empty for any
 */
public record FlowEndpoint(Optional<Inet4Address> address, OptionalInt port) {

    /** Whatever address and port. */
    public static final FlowEndpoint ANY = new FlowEndpoint(Optional.empty(), OptionalInt.empty());

    private static final int LAST_PORT = 0xffff;
    private static final Pattern QUAD = Pattern.compile("(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]{0,2})){3}");

    /** @throws DoorbellException when {@code port} is none */
    public FlowEndpoint {
        if (port.isPresent() && (port.getAsInt() < 0 || port.getAsInt() > LAST_PORT)) {
            throw new DoorbellException(port.getAsInt() + " is no port: they go from 0 to " + LAST_PORT);
        }
    }

    /** Any address, with this port. */
    public static FlowEndpoint port(int port) {
        return new FlowEndpoint(Optional.empty(), OptionalInt.of(port));
    }

    /**
     * Parses one of the forms above.
     *
     * @throws DoorbellException when it is anything else
     */
    public static FlowEndpoint parse(String text) {
        return parse(text, text.strip().toLowerCase(Locale.ROOT));
    }

    static FlowEndpoint parse(String text, String word) {
        int colon = word.indexOf(':');
        String address = colon < 0 ? word : word.substring(0, colon);
        return new FlowEndpoint(
                address.equals("any") ? Optional.empty() : Optional.of(address(text, address)),
                colon < 0
                        ? OptionalInt.empty()
                        : OptionalInt.of(FlowText.number(text, word.substring(colon + 1), "port", LAST_PORT)));
    }

    /** Four numbers, all of them: inet_aton's shorter forms, and its octal numbers, are misread too easily. */
    private static Inet4Address address(String text, String word) {
        if (QUAD.matcher(word).matches()) {
            try {
                return Inet4Address.ofLiteral(word);
            } catch (IllegalArgumentException e) {
                // a number beyond 255
            }
        }
        throw FlowText.wrong(text, "'" + word + "' is neither 'any' nor an address of IPv4, such as 10.0.0.1");
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        return address.map(Inet4Address::getHostAddress).orElse("any")
                + (port.isPresent() ? ":" + port.getAsInt() : "");
    }
}
