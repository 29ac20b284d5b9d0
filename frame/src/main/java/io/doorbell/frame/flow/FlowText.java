package io.doorbell.frame.flow;

import io.doorbell.DoorbellException;
import java.util.Locale;
import java.util.regex.Pattern;

/** What the parsers of this package share. */
final class FlowText {

    private static final Pattern DECIMAL = Pattern.compile("0|[1-9][0-9]{0,8}");

    private FlowText() {}

    /** In lower case; at least one, which may be empty. */
    static String[] words(String text) {
        return text.strip().toLowerCase(Locale.ROOT).split("\\s+");
    }

    /**
     * Reads a decimal number.
     *
     * @param what it is, for the message
     * @throws DoorbellException when it is none, or one beyond {@code most}
     */
    static int number(String text, String word, String what, int most) {
        if (!DECIMAL.matcher(word).matches() || Integer.parseInt(word) > most) {
            throw wrong(text, "'" + word + "' is no " + what + ", which is a number from 0 to " + most);
        }
        return Integer.parseInt(word);
    }

    /** @param why continues {@code "'TEXT' does not say which frames: "} */
    static DoorbellException wrong(String text, String why) {
        return new DoorbellException("'" + text.strip() + "' does not say which frames: " + why
                + "; write 'ethertype 0x88f7', 'tcp 10.0.0.1:80 > any', 'udp any > any:53', 'ip/47 10.0.0.1 > any',"
                + " 'syn' or 'bytes 12=88cc'");
    }
}
