package io.doorbell.igb.ring;

import io.doorbell.frame.Frame;
import io.doorbell.frame.Offloads;

/**
 * The advanced receive descriptor (82576 data sheet, 7.1.5): 16 bytes, two words. The driver writes it as
 *
 * <pre>
 *   0  address of the buffer
 *   8  address of the header buffer: 0, for there is none
 * </pre>
 *
 * and the device, when it is done with the buffer, writes over it
 *
 * <pre>
 *   0  RSS type (bits 0 to 3) and packet type | RSS hash (32 bits from bit 32)
 *   8  status and error (32 bits) | length (16) | VLAN tag (16)
 * </pre>
 *
 * Of a frame in several buffers, the last descriptor says what there is to say.
 */
final class RxDescriptor {

    static final int BYTES = 16;

    static final long DD = 1L;
    static final long EOP = 1L << 1;
    /** The tag was stripped, and is in the descriptor. */
    private static final long VP = 1L << 3;
    /** The checksum of UDP was looked at, and that of TCP, UDP or SCTP. */
    private static final long UDPCS = 1L << 4;

    private static final long L4CS = 1L << 5;
    private static final long L4E = 1L << 29;
    private static final long IPE = 1L << 30;
    static final long RXE = 1L << 31;

    private static final int LENGTH_SHIFT = 32;
    private static final int LENGTH_MASK = 0xffff;
    private static final int VLAN_SHIFT = 48;
    private static final long RSS_TYPE = 0xf;
    private static final int HASH_SHIFT = 32;

    private RxDescriptor() {}

    /** Bytes that the device has put into the buffer. */
    static int length(long status) {
        return (int) (status >>> LENGTH_SHIFT) & LENGTH_MASK;
    }

    /**
     * Tells a frame what the device has found out.
     *
     * @param types the first word of its last descriptor
     * @param status the second one
     * @param checksums whether the application wants to know of them
     */
    static void describe(Frame frame, long types, long status, boolean checksums) {
        if ((types & RSS_TYPE) != 0) {
            frame.hash((int) (types >>> HASH_SHIFT));
        }
        if ((status & VP) != 0) {
            frame.vlanTag((int) (status >>> VLAN_SHIFT) & 0xffff);
        }
        if (checksums) {
            if ((status & (L4E | IPE)) != 0) {
                frame.addOffloads(Offloads.CHECKSUM_BAD);
            } else if ((status & (L4CS | UDPCS)) != 0) {
                frame.addOffloads(Offloads.CHECKSUM_GOOD);
            }
        }
    }
}
