package io.doorbell.virtio.header;

/** Bytes that a frame may have, without its header. */
public final class FrameLength {

    /** An Ethernet header. */
    public static final int SHORTEST = 14;

    /** Of a frame that is to be cut: an Ethernet header, and the largest IPv6 packet with its header (5.1.6.3). */
    public static final int LARGEST = 14 + 40 + 65535;

    private FrameLength() {}
}
