package io.doorbell.frame;

import java.util.List;

/**
 * What a NIC can do for a frame beyond moving its bytes: one vocabulary for all drivers and for both directions. A set of
 * them is an {@code int}, one bit each, so that asking costs one load and one test.
 *
 * <p>On a received frame a bit says what the NIC has found out; on a frame to be sent, what it is asked to do. A frame
 * that is received with {@link #NEEDS_CHECKSUM} or {@link #SEGMENT} (its sender was a neighbour in the same machine, who
 * left that work undone) can therefore be forwarded as it is, to a NIC that does the work.
 */
public final class Offloads {

    /** The Internet checksum from {@link Frame#checksumStart} to the end is still to be put in place. */
    public static final int NEEDS_CHECKSUM = 1;

    /** Received only: the NIC found the checksums of the transport header (TCP, UDP or SCTP) to be right. */
    public static final int CHECKSUM_GOOD = 1 << 1;

    /** Received only: the NIC found a checksum to be wrong. */
    public static final int CHECKSUM_BAD = 1 << 2;

    /** There is a VLAN tag beside the frame: stripped on receive, to be inserted on send; {@link Frame#vlanTag}. */
    public static final int VLAN_TAG = 1 << 3;

    /** Received only: there is a hash of the flow that the frame belongs to; {@link Frame#hash}. */
    public static final int HASH = 1 << 4;

    /** The frame is larger than the wire takes, and stands for a row of frames; {@link Frame#segmentation}. */
    public static final int SEGMENT = 1 << 5;

    /**
     * The frame goes on in the batch's next slot: it is too long for one buffer. What else there is to say of it, its
     * first slot says. See {@link FrameBatch}.
     */
    public static final int MORE_SEGMENTS = 1 << 6;

    /**
     * To be sent only: the NIC is to note by its clock when the frame leaves, and who asked takes that by
     * {@link io.doorbell.frame.ability.PtpClock#takeTxStamp}. Nothing does it in software.
     */
    public static final int TIME_STAMP = 1 << 7;

    /**
     * To be sent only: the CRC-32C of SCTP (RFC 9260, 6.8), over the bytes from {@link Frame#checksumStart} to the end, is still to be
     * put in place.
     */
    public static final int NEEDS_CRC32C = 1 << 8;

    /** Their names, from bit 0 on. */
    private static final List<String> NAMES = List.of(
            "NEEDS_CHECKSUM",
            "CHECKSUM_GOOD",
            "CHECKSUM_BAD",
            "VLAN_TAG",
            "HASH",
            "SEGMENT",
            "MORE_SEGMENTS",
            "TIME_STAMP",
            "NEEDS_CRC32C");

    /** All bits that mean something. */
    static final int ALL = (1 << NAMES.size()) - 1;

    /** Those that a received frame may come with. */
    static final int RECEIVED = ALL & ~(TIME_STAMP | NEEDS_CRC32C);

    private Offloads() {}

    /**
     * The names of the bits in {@code offloads}, for messages: {@code NEEDS_CHECKSUM VLAN_TAG}; "none" where there are none.
     * Bits without a name come last, as a number.
     */
    public static String toString(int offloads) {
        StringBuilder text = new StringBuilder();
        for (int bit = 0; bit < NAMES.size(); bit++) {
            if ((offloads & 1 << bit) != 0) {
                text.append(text.isEmpty() ? "" : " ").append(NAMES.get(bit));
            }
        }
        if ((offloads & ~ALL) != 0) {
            text.append(text.isEmpty() ? "" : " ").append("0x").append(Integer.toHexString(offloads & ~ALL));
        }
        return text.isEmpty() ? "none" : text.toString();
    }
}
