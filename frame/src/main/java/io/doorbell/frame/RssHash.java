package io.doorbell.frame;

/**
 * The kinds of frames that a NIC can tell flows apart in, each with what of the frame it hashes. For a frame of several
 * kinds, the one that hashes the most counts: ports, too, if the NIC was told to.
 */
public enum RssHash {
    /** IPv4: both addresses. */
    IPV4,
    /** TCP over IPv4: both addresses and both ports. */
    TCP4,
    /** UDP over IPv4: both addresses and both ports. Fragments have no ports, so they go elsewhere than the rest. */
    UDP4,
    /** IPv6: both addresses. */
    IPV6,
    /** TCP over IPv6: both addresses and both ports. */
    TCP6,
    /** UDP over IPv6: both addresses and both ports. */
    UDP6,
    /** IPv6: home address and routing header's last address in place of the header's, where there are any. */
    IPV6_EX,
    /** TCP over IPv6, with the addresses of {@link #IPV6_EX}. */
    TCP6_EX,
    /** UDP over IPv6, with the addresses of {@link #IPV6_EX}. */
    UDP6_EX
}
