package io.doorbell.virtio.net;

import io.doorbell.frame.RssHash;
import java.util.EnumSet;
import java.util.Set;

/** The bits of {@code hash_types} and {@code supported_hash_types} (5.1.6.4.3.1): VIRTIO_NET_RSS_HASH_TYPE_…. */
final class HashTypes {

    private HashTypes() {}

    private static int bit(RssHash kind) {
        return 1
                << switch (kind) {
                    case IPV4 -> 0;
                    case TCP4 -> 1;
                    case UDP4 -> 2;
                    case IPV6 -> 3;
                    case TCP6 -> 4;
                    case UDP6 -> 5;
                    case IPV6_EX -> 6;
                    case TCP6_EX -> 7;
                    case UDP6_EX -> 8;
                };
    }

    static int bits(Set<RssHash> kinds) {
        int bits = 0;
        for (RssHash kind : kinds) {
            bits |= bit(kind);
        }
        return bits;
    }

    /** Those of {@code bits} that have a name here. */
    static Set<RssHash> kinds(int bits) {
        Set<RssHash> kinds = EnumSet.noneOf(RssHash.class);
        for (RssHash kind : RssHash.values()) {
            if ((bits & bit(kind)) != 0) {
                kinds.add(kind);
            }
        }
        return kinds;
    }
}
