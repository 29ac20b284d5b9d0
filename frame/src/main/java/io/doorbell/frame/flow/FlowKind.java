package io.doorbell.frame.flow;

/** The kinds of {@link FlowMatch}, in the order in which a NIC tries them, for which it has filters of different kinds. */
public enum FlowKind {
    /** {@link EtherTypeMatch}. */
    ETHER_TYPE("ethertype"),
    /** {@link BytesMatch}. */
    BYTES("bytes"),
    /** {@link TupleMatch}. */
    TUPLE("tuple"),
    /** {@link SynMatch}. */
    SYN("syn");

    private final String word;

    FlowKind(String word) {
        this.word = word;
    }

    /** A word for it: {@code ethertype}. */
    @Override
    public String toString() {
        return word;
    }
}
