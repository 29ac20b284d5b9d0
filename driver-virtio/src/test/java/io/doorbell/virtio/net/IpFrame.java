package io.doorbell.virtio.net;

import io.doorbell.frame.Rss;
import io.doorbell.frame.RssHash;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Of an Ethernet frame, what a device that hashes looks at. Neither fragments nor extension headers with ports behind. */
record IpFrame(byte[] bytes) {

    private static final int ETHERNET = 14;
    private static final int TCP = 6;
    private static final int UDP = 17;

    /** What of the frame is to be hashed with these settings; empty if nothing. */
    Optional<RssHash> kind(Rss rss) {
        RssHash all = isV4() ? RssHash.IPV4 : RssHash.IPV6;
        if (!isV4() && !isV6()) {
            return Optional.empty();
        }
        RssHash exact = switch (protocol()) {
            case TCP -> isV4() ? RssHash.TCP4 : RssHash.TCP6;
            case UDP -> isV4() ? RssHash.UDP4 : RssHash.UDP6;
            default -> all;
        };
        if (rss.hashes().contains(exact)) {
            return Optional.of(exact);
        }
        return rss.hashes().contains(all) ? Optional.of(all) : Optional.empty();
    }

    /** The hash of this kind. */
    int hash(Rss rss, RssHash kind) {
        int addresses = isV4() ? 8 : 32;
        int from = ETHERNET + (isV4() ? 12 : 8);
        boolean ports = kind != RssHash.IPV4 && kind != RssHash.IPV6;
        // The ports follow the addresses: neither version has anything in between that these frames would use.
        byte[] input = new byte[addresses + (ports ? 4 : 0)];
        System.arraycopy(bytes, from, input, 0, input.length);
        return Toeplitz.hash(rss.key(), input);
    }

    private boolean isV4() {
        return etherType() == 0x0800;
    }

    private boolean isV6() {
        return etherType() == 0x86dd;
    }

    private int etherType() {
        return ByteBuffer.wrap(bytes).getShort(12) & 0xffff;
    }

    private int protocol() {
        return bytes[ETHERNET + (isV4() ? 9 : 6)];
    }
}
