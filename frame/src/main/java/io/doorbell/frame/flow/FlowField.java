package io.doorbell.frame.flow;

/** What a {@link TupleMatch} may look at. */
public enum FlowField {
    PROTOCOL("protocol"),
    SOURCE_ADDRESS("source address"),
    SOURCE_PORT("source port"),
    DESTINATION_ADDRESS("destination address"),
    DESTINATION_PORT("destination port");

    private final String words;

    FlowField(String words) {
        this.words = words;
    }

    /** In words: {@code source address}. */
    @Override
    public String toString() {
        return words;
    }
}
