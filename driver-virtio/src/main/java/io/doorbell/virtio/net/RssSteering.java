package io.doorbell.virtio.net;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Rss;
import io.doorbell.frame.RssHash;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How many queues the device uses, and which one a received frame goes to (5.1.6.5.5 to 5.1.6.5.7). What is wanted is
 * kept here, because a device forgets it when it is reset.
 *
 * <p>With {@link Feature#VIRTIO_NET_F_RSS} a frame goes where its hash says; without, a device sends the frames of a
 * flow to the receive queue whose transmit queue sent the latest frame of that flow.
 */
final class RssSteering {

    /** What both structures have before the key: hash types, then mask, queues or reserved words (5.1.6.5.6.4, .7.1). */
    private static final int FIXED_BYTES = 16;

    private final String name;
    private final Features features;
    private final @Nullable ControlQueue control;
    private final NetConfig netConfig;
    private final int pairs;
    private @Nullable Rss rss;

    /**
     * @param control null if the device needs no commands for what was agreed on
     * @param asked what the configuration says of hashing
     * @throws DoorbellException when the device cannot do as asked
     */
    RssSteering(
            String name,
            Features features,
            @Nullable ControlQueue control,
            NetConfig netConfig,
            int pairs,
            Optional<Rss> asked) {
        this.name = name;
        this.features = features;
        this.control = control;
        this.netConfig = netConfig;
        this.pairs = pairs;
        asked.ifPresent(this::check);
        this.rss = hashes() ? asked.orElseGet(this::usual) : null;
    }

    private boolean hashes() {
        return features.has(Feature.VIRTIO_NET_F_RSS) || features.has(Feature.VIRTIO_NET_F_HASH_REPORT);
    }

    /** All flows that the device can tell apart, evenly. */
    private Rss usual() {
        Rss even = Rss.over(pairs);
        Set<RssHash> able = EnumSet.copyOf(even.hashes());
        able.retainAll(HashTypes.kinds(netConfig.hashTypes()));
        return even.withHashes(able);
    }

    /** Tells a device that was just started everything. */
    void apply() {
        if (features.has(Feature.VIRTIO_NET_F_RSS)) {
            give(ControlCommand.MQ_RSS_CONFIG, rssConfig());
            return;
        }
        if (features.has(Feature.VIRTIO_NET_F_MQ) && control != null) {
            give(ControlCommand.MQ_VQ_PAIRS_SET, (byte) pairs, (byte) (pairs >>> 8));
        }
        if (features.has(Feature.VIRTIO_NET_F_HASH_REPORT)) {
            give(ControlCommand.MQ_HASH_CONFIG, hashConfig());
        }
    }

    /** Whether it can be changed. */
    boolean changes() {
        return features.has(Feature.VIRTIO_NET_F_RSS) || (pairs == 1 && hashes());
    }

    String whyNot() {
        return "cannot choose how the device spreads frames over queues, since "
                + features.notInUse(Feature.VIRTIO_NET_F_RSS)
                + ": leave out NicConfig.withRss, or give the device the feature (QEMU's option rss=on)";
    }

    /** Only where {@link #changes}. */
    Rss rss() {
        return wanted();
    }

    void rss(Rss wanted) {
        check(wanted);
        Rss before = rss;
        rss = wanted;
        try {
            apply();
        } catch (DoorbellException e) {
            rss = before;
            throw e;
        }
    }

    private void check(Rss wanted) {
        if (!changes()) {
            throw new DoorbellException(name + ": " + whyNot());
        }
        int missing = HashTypes.bits(wanted.hashes()) & ~netConfig.hashTypes();
        if (missing != 0) {
            throw refused("hash " + HashTypes.kinds(missing) + ", only " + HashTypes.kinds(netConfig.hashTypes()));
        }
        int longestKey = netConfig.rssMaxKeySize();
        if (wanted.key().length > longestKey) {
            throw refused("use a key of " + wanted.key().length + " bytes, only of up to " + longestKey);
        }
        if (features.has(Feature.VIRTIO_NET_F_RSS)) {
            checkTable(wanted.table());
        }
    }

    private void checkTable(int[] table) {
        int longest = Math.min(
                netConfig.rssMaxTableLength(),
                (ControlQueue.capacity() - FIXED_BYTES - netConfig.rssMaxKeySize()) / Short.BYTES);
        if (table.length > longest) {
            throw refused("use a table of " + table.length + " entries, only of up to " + longest);
        }
        for (int queue : table) {
            if (queue >= pairs) {
                throw refused("send frames to queue " + queue + ", only to 0 to " + (pairs - 1)
                        + ": ask for more queues with NicConfig.withQueues");
            }
        }
    }

    private DoorbellException refused(String what) {
        return new DoorbellException(name + ": the device cannot " + what);
    }

    /** struct virtio_net_rss_config (5.1.6.5.7.1). */
    private byte[] rssConfig() {
        Rss wanted = wanted();
        int[] table = wanted.table();
        byte[] key = wanted.key();
        byte[] config = new byte[8 + Short.BYTES * table.length + 3 + key.length];
        ByteBuffer data = littleEndian(config)
                .putInt(HashTypes.bits(wanted.hashes()))
                .putShort((short) (table.length - 1))
                .putShort((short) 0); // frames that are not hashed go to queue 0
        for (int queue : table) {
            data.putShort((short) queue);
        }
        data.putShort((short) pairs).put((byte) key.length).put(key);
        return config;
    }

    /** struct virtio_net_hash_config (5.1.6.5.6.4). */
    private byte[] hashConfig() {
        Rss wanted = wanted();
        byte[] key = wanted.key();
        byte[] config = new byte[13 + key.length];
        littleEndian(config)
                .putInt(HashTypes.bits(wanted.hashes()))
                .putLong(0) // reserved
                .put((byte) key.length)
                .put(key);
        return config;
    }

    private Rss wanted() {
        Rss current = rss;
        if (current == null) {
            throw new IllegalStateException("nothing is hashed");
        }
        return current;
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void give(ControlCommand command, byte... data) {
        if (control == null) {
            throw new IllegalStateException("no control queue for " + command);
        }
        control.setting(command, data);
    }
}
