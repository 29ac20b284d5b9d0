package io.doorbell.frame.flow;

/** Segments of TCP with the SYN flag, which open a connection: {@code syn}. */
public record SynMatch() implements FlowMatch {

    static SynMatch parse(String text, String... words) {
        if (words.length != 1) {
            throw FlowText.wrong(text, "nothing comes behind 'syn', which matches all of them");
        }
        return new SynMatch();
    }

    @Override
    public FlowKind kind() {
        return FlowKind.SYN;
    }

    @Override
    public String toString() {
        return "syn";
    }
}
