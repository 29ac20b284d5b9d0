package io.doorbell.virtio.queue;

import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.QueueAddresses;
import java.util.List;

/** Chains over a {@link SplitRing}. They take its descriptors in turn, as a device that works in order wants it (2.7.9). */
public final class SplitChainRing implements ChainRing {

    private final String name;
    private final SplitRing ring;
    private int available;
    private int head;
    private int free;

    public SplitChainRing(String name, DmaSpace space, int size, boolean eventIndex, QueueCounters counters) {
        this.name = name;
        this.ring = new SplitRing(space, size, eventIndex, counters);
    }

    @Override
    public QueueAddresses addresses() {
        return ring.addresses();
    }

    @Override
    public void prepare() {
        ring.prepare();
        available = 0;
        head = 0;
        free = 0;
    }

    @Override
    public void start(Doorbell doorbell) {
        ring.start(doorbell);
    }

    @Override
    public void put(List<Part> chain) {
        head = free;
        for (int i = 0; i < chain.size(); i++) {
            Part part = chain.get(i);
            int id = free;
            free = (id + 1) & ring.mask;
            long more = i < chain.size() - 1 ? SplitRing.chained(free) : 0;
            ring.setDescriptorAddress(id, part.address());
            ring.setDescriptorRest(id, part.length() | more | (part.deviceWrites() ? SplitRing.WRITE : 0));
        }
        ring.reorder(available & ring.mask, head);
        ring.deferInterrupts(available);
        available++;
        ring.publish(available);
        ring.notifyDevice(available);
    }

    @Override
    public boolean done() {
        int seen = available - 1;
        int count = ring.usedSince(seen);
        if (count == 0) {
            return false;
        }
        int id = ring.usedId(seen & ring.mask);
        if (count != 1 || id != head) {
            throw new BrokenDeviceException(name + ": the device says that it used " + count
                    + " buffers, the first being " + Integer.toUnsignedString(id) + ", and it has one, " + head);
        }
        return true;
    }
}
