package io.doorbell.virtio.warmup;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.Practice;
import io.doorbell.virtio.header.NetHeader;
import io.doorbell.virtio.net.VirtioNic;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.vhost.backend.VhostBackendNic;
import io.doorbell.virtio.vhost.frontend.VhostUserNic;
import io.doorbell.virtio.vhost.frontend.VhostUserTransport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** NICs to practise on while it is not known what a device is going to offer. */
public final class VirtioPractice {

    /** What makes the loops take other ways: the layout of rings, and two features that each layout has both ways. */
    private static final long WAYS =
            mask(Feature.VIRTIO_F_RING_PACKED, Feature.VIRTIO_F_IN_ORDER, Feature.VIRTIO_F_EVENT_IDX);

    private static final long[] DEVICES = {
        mask(Feature.VIRTIO_F_RING_PACKED, Feature.VIRTIO_F_IN_ORDER),
        mask(Feature.VIRTIO_F_IN_ORDER),
        mask(Feature.VIRTIO_F_RING_PACKED, Feature.VIRTIO_F_EVENT_IDX),
        mask(Feature.VIRTIO_F_EVENT_IDX)
    };

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** An empty header (5.1.6) of a frame in one buffer. */
    private static final byte[] HEADER = new byte[NetHeader.BYTES];

    static {
        HEADER[NetHeader.NUM_BUFFERS] = 1;
    }

    private VirtioPractice() {}

    /**
     * One NIC for each way that {@code config} leaves open.
     *
     * @param vhost whether the device is to be a vhost-user back-end, else a PCI device
     */
    public static List<Practice> all(NicConfig config, boolean vhost) {
        long wanted = Feature.wanted(config.withoutFeatures());
        long[] ways = LongStream.of(DEVICES)
                .map(features -> features & wanted)
                .filter(features -> Feature.VIRTIO_F_RING_PACKED.isIn(features) || mayBeSplit(config, wanted))
                .distinct()
                .toArray();
        if (vhost) {
            meetBackEnd(config);
        }
        List<Practice> all = new ArrayList<>();
        try {
            for (long way : ways) {
                all.add(one(way, config, vhost));
            }
            return all;
        } catch (RuntimeException e) {
            all.forEach(Practice::close);
            throw e;
        }
    }

    /** With sizes that only a packed ring can have, the NIC does not open but with such rings. */
    private static boolean mayBeSplit(NicConfig config, long wanted) {
        return !Feature.VIRTIO_F_RING_PACKED.isIn(wanted)
                || (Integer.bitCount(config.rxRingSize()) == 1 && Integer.bitCount(config.txRingSize()) == 1);
    }

    /**
     * Opens a NIC with a back-end of this process's, and closes both. Making contact takes classes that practising does
     * without, of arenas and memory segments among them; to load those later would undo what the JIT has compiled for all
     * memory.
     */
    private static void meetBackEnd(NicConfig config) {
        NicConfig wanted = withoutCommands(config);
        try {
            Path folder = Files.createTempDirectory("doorbell");
            String socket = folder.resolve("practice").toString();
            try (VhostBackendNic backEnd =
                            VhostBackendNic.open("practice", socket, config.queues(), NicConfig.defaults());
                    VhostUserNic nic = VhostUserNic.open("practice", socket, wanted)) {
                backEnd.awaitLink(PATIENCE);
                nic.linkState();
            } finally {
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new DoorbellException("no folder for a socket to practise with: " + e.getMessage(), e);
        }
    }

    private static Practice one(long way, NicConfig config, boolean vhost) {
        long usual = VhostUserTransport.PASSED_FEATURES | VhostUserTransport.OWN_FEATURES;
        PracticeTransport transport = new PracticeTransport((usual & ~WAYS) | way, config.queues(), vhost);
        VirtioNic nic = VirtioNic.open("practice", transport, withoutCommands(config));
        Nic whole = vhost ? new VhostUserNic(Kernel.linux(), nic, transport) : nic;
        return new Practice(whole, HEADER, transport.receivers(), transport.transmitters());
    }

    /** What takes commands is set up before frames pass, and changes nothing for the loops. */
    private static NicConfig withoutCommands(NicConfig config) {
        return new NicConfig(
                config.rxRingSize(),
                config.txRingSize(),
                config.bufferSize(),
                config.promiscuous(),
                config.sharedPool(),
                config.withoutFeatures(),
                null,
                config.queues(),
                null,
                config.receiveOffloads(),
                false);
    }

    private static long mask(Feature... features) {
        long mask = 0;
        for (Feature feature : features) {
            mask |= feature.mask();
        }
        return mask;
    }
}
