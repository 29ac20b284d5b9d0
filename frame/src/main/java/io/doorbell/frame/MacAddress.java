package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * An Ethernet address (IEEE 802.3, 3.2.3), written {@code 52:54:00:12:34:56}.
 *
 * @param value the 48 bits, the first byte on the wire being the most significant
 */
public record MacAddress(long value) {

    public static final MacAddress BROADCAST = new MacAddress(0xffff_ffff_ffffL);

    /** Locally administered (IEEE 802, 8.4). */
    private static final long LOCAL = 0x02L << 40;

    private static final int BYTES = 6;

    private static final Pattern FORM = Pattern.compile("[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}");

    public MacAddress {
        if (value >>> 48 != 0) {
            throw new IllegalArgumentException("a MAC address has 48 bits: 0x" + Long.toHexString(value));
        }
    }

    /**
     * Parses six bytes in hexadecimal with colons or dashes between them.
     *
     * @throws DoorbellException when it is anything else
     */
    public static MacAddress parse(String text) {
        if (!FORM.matcher(text).matches()) {
            throw new DoorbellException("'" + text + "' is not a MAC address:"
                    + " write six bytes in hexadecimal, such as 52:54:00:12:34:56");
        }
        return new MacAddress(Long.parseLong(text.replaceAll("[:-]", ""), 16));
    }

    /** A random unicast address that is locally administered (IEEE 802, 8.4), for a NIC that has none of its own. */
    public static MacAddress randomLocal() {
        return new MacAddress(LOCAL | ThreadLocalRandom.current().nextLong(1L << 40));
    }

    /** Byte {@code index} as it goes over the wire, 0 to 5; the result is 0 to 255. */
    public int octet(int index) {
        return (int) (value >>> (8 * (5 - Objects.checkIndex(index, BYTES)))) & 0xff;
    }

    /** Whether it is a group address: multicast or broadcast. */
    public boolean isMulticast() {
        return (octet(0) & 1) != 0;
    }

    /** Whether a NIC can have it as its own: neither a group address nor all zeros. */
    public boolean isUnicast() {
        return !isMulticast() && value != 0;
    }

    @Override
    public String toString() {
        return String.format(
                "%02x:%02x:%02x:%02x:%02x:%02x", octet(0), octet(1), octet(2), octet(3), octet(4), octet(5));
    }
}
