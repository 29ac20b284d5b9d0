package io.doorbell.virtio.header;

/** The header in front of each frame (5.1.6): where its fields are, in bytes, and what their values mean. */
public final class NetHeader {

    /** NEEDS_CSUM and such; 8 bits. */
    public static final int FLAGS = 0;
    /** By which rules the frame is to be cut; 8 bits. */
    static final int GSO_TYPE = 1;
    /** Bytes of headers, a hint; 16 bits. */
    static final int HDR_LEN = 2;
    /** Bytes of payload in each piece; 16 bits. */
    static final int GSO_SIZE = 4;
    /** Where summing starts, from the start of the frame; 16 bits. */
    static final int CSUM_START = 6;
    /** Where the sum goes, from there; 16 bits. */
    static final int CSUM_OFFSET = 8;
    /** How many buffers hold the frame; 16 bits. Not in a legacy header without VIRTIO_NET_F_MRG_RXBUF. */
    public static final int NUM_BUFFERS = 10;

    /** The hash of a received frame, and by which rule it was made; 32 and 16 bits. Only with VIRTIO_NET_F_HASH_REPORT. */
    static final int HASH_VALUE = 12;

    static final int HASH_REPORT = 16;

    /** Bytes in a header with all of these fields, in one without a hash, and in one without the number of buffers. */
    public static final int HASH_BYTES = 20;

    public static final int BYTES = 12;

    public static final int LEGACY_BYTES = 10;

    static final int NEEDS_CSUM = 1;
    public static final int DATA_VALID = 2;

    static final int GSO_NONE = 0;
    static final int GSO_TCPV4 = 1;
    static final int GSO_TCPV6 = 4;
    static final int GSO_UDP_L4 = 5;
    /** A flag beside the others: the TCP header says CWR, which only the first piece is to have. */
    static final int GSO_ECN = 0x80;

    static final int HASH_REPORT_NONE = 0;

    private NetHeader() {}
}
