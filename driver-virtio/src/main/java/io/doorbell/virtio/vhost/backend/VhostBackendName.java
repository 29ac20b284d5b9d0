package io.doorbell.virtio.vhost.backend;

import io.doorbell.DoorbellException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code vhost-user-backend:} is followed by: {@code PATH} or {@code PATH,queues=N}.
 *
 * @param queues in each direction; {@link #UNSAID} if the name does not say
 */
public record VhostBackendName(String path, int queues) {

    static final int UNSAID = 0;

    static final int MOST_QUEUES = 64;

    private static final Pattern OPTIONS = Pattern.compile("(?<path>[^,]*)(,queues=(?<queues>[0-9]{1,3}))?");

    public static VhostBackendName parse(String whole, String rest) {
        Matcher matcher = OPTIONS.matcher(rest);
        boolean understood = matcher.matches();
        String number = understood ? matcher.group("queues") : null;
        int queues = number == null ? UNSAID : Integer.parseInt(number);
        if (!understood || (number != null && (queues < 1 || queues > MOST_QUEUES))) {
            throw new DoorbellException("'" + whole + "' cannot be understood: behind the path there may be ,queues=N,"
                    + " N from 1 to " + MOST_QUEUES);
        }
        return new VhostBackendName(matcher.group("path"), queues);
    }

    /**
     * How many queues there are to be in each direction, as the name or the configuration has it.
     *
     * @param asked for by the configuration, where 1 may just be the default
     */
    public int queuesOr(String whole, int asked) {
        if (queues != UNSAID && asked > queues) {
            throw new DoorbellException("'" + whole + "' has ,queues=" + queues + ", and NicConfig.withQueues says "
                    + asked + ": say it in one place");
        }
        if (asked > MOST_QUEUES) {
            throw new DoorbellException(
                    whole + ": NicConfig.withQueues says " + asked + "; a back-end has up to " + MOST_QUEUES);
        }
        return queues == UNSAID ? asked : queues;
    }
}
