package io.doorbell.bench.load;

import io.doorbell.bench.env.VethPair;
import io.doorbell.bench.workload.Workload;
import org.pcap4j.core.NotOpenException;
import org.pcap4j.core.PcapHandle;
import org.pcap4j.core.PcapNativeException;
import org.pcap4j.core.PcapNetworkInterface.PromiscuousMode;
import org.pcap4j.core.RawPacketListener;

/**
 * pcap4j over a {@link VethPair}. The loop with a listener that takes bytes is the fastest that it has to receive with:
 * a packet by itself ({@code getNextRawPacket}) takes twice as long, and allocates thirty times as much.
 */
public final class PcapEnd extends SocketEnd {

    private static final int SNAPSHOT = 2048;
    private static final int TIMEOUT_MILLIS = 10;
    private static final int FOREVER = -1;

    private Runnable breakLoop = () -> {};

    public static void main(String[] arguments) throws Throwable {
        new PcapEnd().serve();
    }

    @Override
    String receive(String veth) throws PcapNativeException {
        PcapHandle handle = open(VethPair.far(veth));
        breakLoop = () -> breakLoop(handle);
        start(() -> {
            try (handle) {
                handle.loop(FOREVER, new RawPacketListener() {
                    private long count;

                    @Override
                    public void gotPacket(byte[] packet) {
                        passed(++count);
                    }
                });
            } catch (InterruptedException e) {
                // by breakLoop
            }
        });
        return veth;
    }

    private static void breakLoop(PcapHandle handle) {
        try {
            handle.breakLoop();
        } catch (NotOpenException e) {
            // then there is no loop
        }
    }

    @Override
    void wake() {
        breakLoop.run();
    }

    @Override
    String send(String veth) throws PcapNativeException {
        PcapHandle handle = open(VethPair.near(veth));
        start(() -> {
            try (handle) {
                byte[] frame = Workload.frame();
                long count = 0;
                while (goesOn()) {
                    handle.sendPacket(frame);
                    passed(++count);
                }
            }
        });
        return veth;
    }

    private static PcapHandle open(String end) throws PcapNativeException {
        return new PcapHandle.Builder(end)
                .snaplen(SNAPSHOT)
                .promiscuousMode(PromiscuousMode.NONPROMISCUOUS)
                .timeoutMillis(TIMEOUT_MILLIS)
                .build();
    }
}
