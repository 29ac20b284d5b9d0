package io.doorbell.virtio.queue;

import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.QueueAddresses;
import java.util.List;

/** Chains over a {@link PackedRing}. The id of a chain is the position of its first descriptor. */
public final class PackedChainRing implements ChainRing {

    private final String name;
    private final PackedRing ring;
    private int next;
    private long availableFlags;
    private int head;
    private long usedFlags;

    public PackedChainRing(String name, DmaSpace space, int size, boolean eventIndex, QueueCounters counters) {
        this.name = name;
        this.ring = new PackedRing(space, size, eventIndex, counters);
    }

    @Override
    public QueueAddresses addresses() {
        return ring.addresses();
    }

    @Override
    public void prepare() {
        ring.prepare();
        next = 0;
        head = 0;
        availableFlags = PackedRing.AVAILABLE_AT_FIRST;
        usedFlags = PackedRing.USED_AT_FIRST;
    }

    @Override
    public void start(Doorbell doorbell) {
        ring.start(doorbell);
    }

    @Override
    public void put(List<Part> chain) {
        head = next;
        // The device answers in the place of the first descriptor, in that one's round (2.8.6).
        usedFlags = (availableFlags & PackedRing.AVAILABLE_AT_FIRST) != 0 ? PackedRing.USED_AT_FIRST : 0;
        long first = 0;
        for (int i = 0; i < chain.size(); i++) {
            Part part = chain.get(i);
            long word = availableFlags
                    | (i < chain.size() - 1 ? PackedRing.NEXT : 0)
                    | (part.deviceWrites() ? PackedRing.WRITE : 0)
                    | (long) head << PackedRing.ID_SHIFT
                    | part.length();
            ring.setAddress(next, part.address());
            if (i == 0) {
                first = word;
            } else {
                ring.setWord(next, word);
            }
            if (++next == ring.size) {
                next = 0;
                availableFlags ^= PackedRing.FLAGS;
            }
        }
        // The first becomes available last, and the chain with it.
        ring.publish(head, first);
        ring.notifyDevice(next, chain.size(), availableFlags);
    }

    @Override
    public boolean done() {
        long word = ring.word(head);
        if ((word & PackedRing.FLAGS) != usedFlags) {
            return false;
        }
        int id = (int) (word >>> PackedRing.ID_SHIFT) & PackedRing.ID_MASK;
        if (id != head) {
            throw new BrokenDeviceException(
                    name + ": the device says that it used buffer " + id + ", and it has one, " + head);
        }
        return true;
    }
}
