package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Receive-side scaling: which receive queue a frame goes to. The NIC hashes the fields of the frame that say which flow
 * it belongs to, with Toeplitz's function and a key, and the hash's lower bits choose an entry of a table, which holds
 * the number of a queue. So the frames of a flow stay in order, in one queue. Frames of no chosen kind go to queue 0.
 *
 * <p>Immutable; the same for all drivers. A driver refuses what its device cannot do.
 */
public final class Rss {

    private static final int DEFAULT_TABLE = 128;

    /** More than any device has: they keep the number of a queue in 16 bits. */
    private static final int MOST_QUEUES = 1 << 16;

    /**
     * The key that Microsoft's verification suite for RSS uses, and most drivers since. A secret one is better where
     * a stranger could choose his flows so that all meet in one queue.
     */
    private static final byte[] DEFAULT_KEY = HexFormat.of()
            .parseHex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b4" + "77cb2da38030f20c6a42b73bbeac01fa");

    private static final Set<RssHash> DEFAULT_HASHES =
            EnumSet.of(RssHash.IPV4, RssHash.TCP4, RssHash.UDP4, RssHash.IPV6, RssHash.TCP6, RssHash.UDP6);

    private final Set<RssHash> hashes;
    private final int[] table;
    private final byte[] key;

    private Rss(Set<RssHash> hashes, int[] table, byte[] key) {
        this.hashes = Set.copyOf(hashes);
        this.table = table;
        this.key = key;
    }

    /** Spreads the flows of TCP, UDP and other IP over queues 0 to {@code queues} − 1 evenly. */
    public static Rss over(int queues) {
        if (queues < 1 || queues > MOST_QUEUES) {
            throw new DoorbellException("flows are spread over 1 to " + MOST_QUEUES + " queues, not " + queues);
        }
        // Each queue gets an entry, and all about as many.
        int entries = Math.max(DEFAULT_TABLE, Integer.highestOneBit(2 * queues - 1));
        int[] table = IntStream.range(0, entries).map(entry -> entry % queues).toArray();
        return new Rss(DEFAULT_HASHES, table, DEFAULT_KEY);
    }

    /** Hashes frames of these kinds only; with none, all frames go to queue 0. */
    public Rss withHashes(Set<RssHash> kinds) {
        return new Rss(kinds, table, key);
    }

    /** With another table: numbers of queues, as many as a power of two. */
    public Rss withTable(int... queues) {
        if (Integer.bitCount(queues.length) != 1) {
            throw new DoorbellException("an RSS table has a power of two of entries, not " + queues.length);
        }
        for (int queue : queues) {
            if (queue < 0 || queue >= MOST_QUEUES) {
                throw new DoorbellException(
                        "there is no queue " + queue + " for an RSS table: they count from 0 to " + (MOST_QUEUES - 1));
            }
        }
        return new Rss(hashes, queues.clone(), key);
    }

    /** With another key: 40 bytes, as a rule. */
    public Rss withKey(byte... bytes) {
        if (bytes.length == 0) {
            throw new DoorbellException("an RSS key has at least one byte, and most devices want 40");
        }
        return new Rss(hashes, table, bytes.clone());
    }

    /** The kinds of frames that are hashed. */
    public Set<RssHash> hashes() {
        return hashes;
    }

    /** The table, in a new array. */
    public int[] table() {
        return table.clone();
    }

    /** The key, in a new array. */
    public byte[] key() {
        return key.clone();
    }

    /** The queue for a hash. */
    public int queue(int hash) {
        return table[hash & (table.length - 1)];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Rss rss
                && hashes.equals(rss.hashes)
                && Arrays.equals(table, rss.table)
                && Arrays.equals(key, rss.key);
    }

    @Override
    public int hashCode() {
        return 31 * hashes.hashCode() + Arrays.hashCode(table);
    }

    /** Without the key, which may be a secret. */
    @Override
    public String toString() {
        int queues = Arrays.stream(table).max().orElse(0) + 1;
        return new TreeSet<>(hashes) + " over " + queues + " queues by a table of " + table.length;
    }
}
