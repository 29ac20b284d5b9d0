package io.doorbell.frame;

/** How one large frame is to be cut into many: by which transport protocol's rules. */
public enum Segmentation {
    /** TCP over IPv4. */
    TCP4,
    /** TCP over IPv6. */
    TCP6,
    /** UDP over IPv4 or IPv6, each piece a datagram of its own (USO). */
    UDP
}
