package io.doorbell.virtio;

import io.doorbell.dma.DoorbellException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@code vhost-user-backend:} is followed by: {@code PATH} or {@code PATH,queues=N}. */
record VhostBackendName(String path, int queues) {

    static final int MOST_QUEUES = 64;

    private static final Pattern OPTIONS = Pattern.compile("(?<path>[^,]*)(,queues=(?<queues>[0-9]{1,3}))?");

    static VhostBackendName parse(String whole, String rest) {
        Matcher matcher = OPTIONS.matcher(rest);
        int queues = 0;
        if (matcher.matches()) {
            String number = matcher.group("queues");
            queues = number == null ? 1 : Integer.parseInt(number);
        }
        if (queues < 1 || queues > MOST_QUEUES) {
            throw new DoorbellException("'" + whole + "' cannot be understood: behind the path there may be ,queues=N,"
                    + " N from 1 to " + MOST_QUEUES);
        }
        return new VhostBackendName(matcher.group("path"), queues);
    }
}
