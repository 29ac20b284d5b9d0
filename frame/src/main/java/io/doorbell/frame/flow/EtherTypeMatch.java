package io.doorbell.frame.flow;

import io.doorbell.DoorbellException;
import java.util.regex.Pattern;

/**
 * Frames of an EtherType (IEEE 802.3, 3.2.6): {@code ethertype 0x88f7}.
 *
 * @param etherType 0x0600 to 0xffff; what is less is a length
 */
public record EtherTypeMatch(int etherType) implements FlowMatch {

    private static final int LOWEST = 0x0600;
    private static final Pattern FORM = Pattern.compile("0x[0-9a-f]{1,4}");

    /** @throws DoorbellException when {@code etherType} is none */
    public EtherTypeMatch {
        if (etherType < LOWEST || etherType > 0xffff) {
            throw new DoorbellException(
                    String.format("0x%04x is no EtherType: they go from 0x0600 to 0xffff, such as 0x88f7", etherType));
        }
    }

    static EtherTypeMatch parse(String text, String... words) {
        if (words.length != 2 || !FORM.matcher(words[1]).matches()) {
            throw FlowText.wrong(text, "an EtherType is a number in hexadecimal, such as 0x88f7");
        }
        return new EtherTypeMatch(Integer.parseInt(words[1].substring(2), 16));
    }

    @Override
    public FlowKind kind() {
        return FlowKind.ETHER_TYPE;
    }

    @Override
    public String toString() {
        return String.format("ethertype 0x%04x", etherType);
    }
}
