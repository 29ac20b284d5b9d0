package io.doorbell.virtio.warmup;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicOption;
import io.doorbell.frame.warmup.SimulatedNic;
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

/** Simulated NICs, while it is not known what a device is going to offer. */
public final class SimulatedVirtio {

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

    private SimulatedVirtio() {}

    /**
     * One NIC for each way that {@code config} leaves open.
     *
     * @param vhost whether the device is to be a vhost-user back-end, else a PCI device
     */
    public static List<SimulatedNic> all(NicConfig config, boolean vhost) {
        long wanted = Feature.wanted(config.withoutFeatures());
        long[] ways = LongStream.of(DEVICES)
                .map(features -> features & wanted)
                .filter(features -> Feature.VIRTIO_F_RING_PACKED.isIn(features) || mayBeSplit(config, wanted))
                .distinct()
                .toArray();
        if (vhost) {
            meetBackEnd(config);
        }
        List<SimulatedNic> all = new ArrayList<>();
        try {
            for (long way : ways) {
                all.add(one(way, config, vhost));
            }
            return all;
        } catch (RuntimeException e) {
            all.forEach(SimulatedNic::close);
            throw e;
        }
    }

    /** With sizes that only a packed ring can have, the NIC does not open but with such rings. */
    private static boolean mayBeSplit(NicConfig config, long wanted) {
        return !Feature.VIRTIO_F_RING_PACKED.isIn(wanted)
                || (Integer.bitCount(config.rxRingSize()) == 1 && Integer.bitCount(config.txRingSize()) == 1);
    }

    /**
     * Opens a NIC with a back-end of this process's, and closes both. Making contact takes classes that simulating does
     * without, of arenas and memory segments among them; to load those later would undo what the JIT has compiled for all
     * memory.
     */
    private static void meetBackEnd(NicConfig config) {
        NicConfig wanted = withoutCommands(config);
        try {
            Path folder = Files.createTempDirectory("doorbell");
            String socket = folder.resolve("simulated").toString();
            try (VhostBackendNic backEnd =
                            VhostBackendNic.open("simulated", socket, config.queues(), NicConfig.defaults());
                    VhostUserNic nic = VhostUserNic.open("simulated", socket, wanted)) {
                backEnd.awaitLink(PATIENCE);
                nic.linkState();
            } finally {
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new DoorbellException("no folder for a socket to warm up with: " + e.getMessage(), e);
        }
    }

    private static SimulatedNic one(long way, NicConfig config, boolean vhost) {
        long usual = VhostUserTransport.PASSED_FEATURES | VhostUserTransport.OWN_FEATURES;
        SimulatedTransport transport = new SimulatedTransport((usual & ~WAYS) | way, config.queues(), vhost);
        VirtioNic nic = VirtioNic.open("simulated", transport, withoutCommands(config));
        Nic whole = vhost ? new VhostUserNic(Kernel.linux(), nic, transport) : nic;
        return new SimulatedNic(whole, HEADER, transport.receivers(), transport.transmitters());
    }

    /** What takes commands is set up before frames pass, and changes nothing for the loops. */
    private static NicConfig withoutCommands(NicConfig config) {
        return config.without(NicOption.VLANS).without(NicOption.RSS).without(NicOption.ANNOUNCEMENTS);
    }

    private static long mask(Feature... features) {
        long mask = 0;
        for (Feature feature : features) {
            mask |= feature.mask();
        }
        return mask;
    }
}
