package io.doorbell.igb.filter;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Rss;
import io.doorbell.frame.RssHash;
import io.doorbell.igb.spec.Field;
import io.doorbell.igb.spec.RegisterFile;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which receive queue the device puts a frame into, by a hash of its flow (82576 data sheet, 7.1.2.8). What is wanted is
 * kept here, because a reset clears the device's tables; {@link #apply} writes them.
 */
public final class RssSteering {

    /** MRQC.MRQE: multiple queues by RSS (8.10.3). */
    private static final int BY_RSS = 2;

    /** Four entries of a byte in each register, and four bytes of the key. */
    private static final int BYTES = 4;

    private static final int ENTRIES = BYTES * RETA.count();
    private static final int KEY_BYTES = BYTES * RSSRK.count();

    private static final Map<RssHash, Field> FIELDS = new EnumMap<>(Map.of(
            RssHash.TCP4, MRQC_TCP4,
            RssHash.IPV4, MRQC_IPV4,
            RssHash.TCP6_EX, MRQC_TCP6_EX,
            RssHash.IPV6_EX, MRQC_IPV6_EX,
            RssHash.IPV6, MRQC_IPV6,
            RssHash.TCP6, MRQC_TCP6,
            RssHash.UDP4, MRQC_UDP4,
            RssHash.UDP6, MRQC_UDP6,
            RssHash.UDP6_EX, MRQC_UDP6_EX));

    private final String name;
    private final RegisterFile registers;
    private final int queues;
    private @Nullable Rss rss;

    /**
     * @param queues that there are to choose from
     * @param asked what the configuration says of hashing; without, several queues are used evenly, and one is not hashed for
     * @throws DoorbellException when the device cannot do as asked
     */
    public RssSteering(RegisterFile registers, int queues, Optional<Rss> asked) {
        this.name = registers.nic();
        this.registers = registers;
        this.queues = queues;
        asked.ifPresent(this::check);
        this.rss = asked.orElse(queues > 1 ? Rss.over(queues) : null);
    }

    /** Whether frames come with a hash. */
    public boolean hashes() {
        return rss != null;
    }

    /** How frames are spread; with no hashes, all go to queue 0. */
    public Rss rss() {
        return rss != null ? rss : Rss.over(1).withHashes(Set.of());
    }

    /** Only where frames are hashed from the start: else nobody looks for the hash. */
    public void rss(Rss wanted) {
        check(wanted);
        rss = wanted;
    }

    private void check(Rss wanted) {
        if (wanted.key().length != KEY_BYTES) {
            throw refused("a key of " + wanted.key().length + " bytes; it has " + KEY_BYTES);
        }
        if (wanted.table().length > ENTRIES) {
            throw refused("a table of " + wanted.table().length + " entries; it has " + ENTRIES);
        }
        for (int queue : wanted.table()) {
            if (queue >= queues) {
                throw refused("queue " + queue + "; there are 0 to " + (queues - 1)
                        + ": ask for more with NicConfig.withQueues");
            }
        }
    }

    private DoorbellException refused(String what) {
        return new DoorbellException(name + ": the device cannot spread frames by " + what);
    }

    /** Writes key and table, and turns hashing on. */
    public void apply() {
        Rss now = rss;
        if (now == null) {
            registers.write(MRQC, 0);
            registers.clear(RXCSUM, RXCSUM_PCSD);
            return;
        }
        byte[] key = now.key();
        for (int i = 0; i < RSSRK.count(); i++) {
            registers.write(RSSRK, i, packed(key[4 * i], key[4 * i + 1], key[4 * i + 2], key[4 * i + 3]));
        }
        for (int i = 0; i < RETA.count(); i++) {
            registers.write(
                    RETA,
                    i,
                    packed(now.queue(4 * i), now.queue(4 * i + 1), now.queue(4 * i + 2), now.queue(4 * i + 3)));
        }
        int fields = 0;
        for (RssHash kind : now.hashes()) {
            fields |= field(kind).mask();
        }
        // The hash takes the place of a fragment's checksum in the descriptor (8.10.21).
        registers.set(RXCSUM, RXCSUM_PCSD);
        registers.write(MRQC, MRQC_MRQE.of(BY_RSS) | fields);
    }

    private static Field field(RssHash kind) {
        Field field = FIELDS.get(kind);
        if (field == null) {
            throw new IllegalStateException("MRQC has no field for " + kind);
        }
        return field;
    }

    /** The first in the lowest byte. */
    private static int packed(int first, int second, int third, int fourth) {
        return (first & 0xff) | (second & 0xff) << 8 | (third & 0xff) << 16 | fourth << 24;
    }
}
