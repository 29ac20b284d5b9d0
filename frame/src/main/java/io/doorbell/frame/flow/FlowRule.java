package io.doorbell.frame.flow;

import io.doorbell.DoorbellException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts the frames that match into a receive queue: {@code udp any > any:53 to queue 2}, or {@code syn to queue 1, priority 1}.
 *
 * @param match which frames
 * @param queue the index of the queue
 * @param priority which rule goes where several match: the highest; from 0, where nothing else is said
 */
public record FlowRule(FlowMatch match, int queue, int priority) {

    private static final Pattern FORM = Pattern.compile(
            "(?<match>.*\\S)\\s+to\\s+queue\\s+(?<queue>[0-9]{1,5})(\\s*,\\s*priority\\s+(?<priority>[0-9]{1,5}))?",
            Pattern.CASE_INSENSITIVE);

    /** @throws DoorbellException when {@code queue} or {@code priority} is negative */
    public FlowRule {
        if (queue < 0 || priority < 0) {
            throw new DoorbellException("'" + match + "' cannot go to queue " + queue + " with priority " + priority
                    + ": queues and priorities count from 0");
        }
    }

    /** One of priority 0. */
    public FlowRule(FlowMatch match, int queue) {
        this(match, queue, 0);
    }

    /**
     * Parses one of the forms above, with a match that {@link FlowMatch#parse} reads.
     *
     * @throws DoorbellException when it is anything else
     */
    public static FlowRule parse(String text) {
        Matcher form = FORM.matcher(text.strip());
        if (!form.matches()) {
            throw new DoorbellException(
                    "'" + text.strip() + "' is no rule for a flow: write which frames, 'to queue' and its"
                            + " number, such as 'udp any > any:53 to queue 2', or 'syn to queue 1, priority 1'");
        }
        String priority = form.group("priority");
        return new FlowRule(
                FlowMatch.parse(form.group("match")),
                Integer.parseInt(form.group("queue")),
                priority == null ? 0 : Integer.parseInt(priority));
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        return match + " to queue " + queue + (priority == 0 ? "" : ", priority " + priority);
    }
}
