package io.doorbell.frame.flow;

import io.doorbell.DoorbellException;

/**
 * Which frames a {@link FlowRule} is about. Each prints as {@link #parse} reads it, and is equal to what is parsed from
 * that:
 *
 * <pre>
 *   ethertype 0x88f7                 frames of an EtherType
 *   tcp 10.0.0.1:80 &gt; any           packets of TCP over IPv4 by where they are from and where they go
 *   udp any &gt; any:53                 the same with UDP, sctp, ip (any protocol) or ip/47 (a protocol by its number)
 *   syn                              segments of TCP that open a connection
 *   bytes 0=0180c200 12=88cc         frames with these bytes, in hexadecimal, behind so many others
 * </pre>
 */
public sealed interface FlowMatch permits EtherTypeMatch, TupleMatch, SynMatch, BytesMatch {

    /** Which kind of filter it takes. */
    FlowKind kind();

    /**
     * Parses one of the forms above; with capitals and more space, too.
     *
     * @throws DoorbellException when it is anything else
     */
    static FlowMatch parse(String text) {
        String[] words = FlowText.words(text);
        return switch (words[0]) {
            case "ethertype" -> EtherTypeMatch.parse(text, words);
            case "syn" -> SynMatch.parse(text, words);
            case "bytes" -> BytesMatch.parse(text, words);
            default -> TupleMatch.parse(text, words);
        };
    }
}
