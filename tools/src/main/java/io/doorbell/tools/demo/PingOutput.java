package io.doorbell.tools.demo;

import io.doorbell.DoorbellException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@code ping} prints at its end, be it iputils' or busybox's. */
final class PingOutput {

    private static final Pattern SUMMARY =
            Pattern.compile("(\\d+) packets transmitted, (\\d+) (?:packets )?received(.*)");

    private PingOutput() {}

    /** How many of its requests were answered. */
    static int answered(String output) {
        Matcher summary = SUMMARY.matcher(output);
        if (!summary.find()) {
            throw new DoorbellException("ping did not run to its end; it printed: " + output.strip());
        }
        return Integer.parseInt(summary.group(2));
    }
}
