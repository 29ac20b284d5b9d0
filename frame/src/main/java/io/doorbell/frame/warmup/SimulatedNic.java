package io.doorbell.frame.warmup;

import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A NIC to practise on ({@link WarmUp#run}): of the very classes that a real one of its driver is made of, since the JIT
 * compiles for the classes that it has seen, but with a device that is played. Nothing moves but by the calls here, from
 * the thread that polls the queues.
 */
public final class SimulatedNic implements AutoCloseable {

    /** More than any ring has. */
    public static final int ALL = Integer.MAX_VALUE;

    /** Frames in a row that are alike. */
    private static final int RUN = 4;

    // Of so many turns of the device, one is of the rarer kind.
    private static final int OTHERWISE = 8;
    private static final int DOORBELL = 64;

    private final Nic nic;
    private final byte[] header;
    private final List<? extends SimulatedQueue> rx;
    private final List<? extends SimulatedQueue> tx;
    private SampleFrames frames;
    private int plays;

    /**
     * Over a NIC that runs.
     *
     * @param nic is closed with this; its device addresses are the process's own ({@code LocalDmaSpace})
     * @param header what the device writes into a receive buffer before the frame
     * @param rx the device's side of each receive queue
     * @param tx the device's side of each transmit queue
     */
    public SimulatedNic(Nic nic, byte[] header, List<? extends SimulatedQueue> rx, List<? extends SimulatedQueue> tx) {
        this.nic = nic;
        this.header = header.clone();
        this.rx = rx;
        this.tx = tx;
        among(0, 1);
    }

    /**
     * Says that this is NIC {@code number} of so many: where there are several, some of the frames that arrive are for the
     * neighbour of the next one.
     */
    void among(int number, int nics) {
        MacAddress behind = nics == 1 ? nic.macAddress() : SampleFrames.neighbour((number + 1) % nics);
        frames = new SampleFrames(SampleFrames.neighbour(number), nic.macAddress(), behind);
    }

    /** What the application sees. */
    public Nic nic() {
        return nic;
    }

    /** The device's side of a receive queue. */
    public SimulatedQueue receiver(int index) {
        return rx.get(index);
    }

    /** The device's side of a transmit queue. */
    public SimulatedQueue transmitter(int index) {
        return tx.get(index);
    }

    /**
     * Lets frames arrive: valid ones, of several lengths and protocols, for {@link Nic#macAddress} or everyone.
     *
     * @param most on each queue, of which there may be fewer where it is short of buffers
     * @return how many have arrived
     */
    public int arrive(int most) {
        int arrived = 0;
        for (int queue = 0; queue < rx.size(); queue++) {
            arrived += fill(rx.get(queue), nic.rxQueue(queue).pool().memory(), most);
        }
        return arrived;
    }

    private int fill(SimulatedQueue queue, MemorySegment memory, int most) {
        queue.enableNotifications(++plays % DOORBELL == 0);
        int count = queue.available(most);
        for (int left = count; left > 0; left -= RUN) {
            int run = Math.min(RUN, left);
            int length = header.length + frames.choose();
            for (int ahead = 0; ahead < run; ahead++) {
                write(memory, queue.address(ahead) - memory.address());
            }
            use(queue, run, length);
        }
        return count;
    }

    private void write(MemorySegment memory, long position) {
        MemorySegment.copy(header, 0, memory, ValueLayout.JAVA_BYTE, position, header.length);
        frames.write(memory, position + header.length);
    }

    /**
     * Has the device send frames that it was given.
     *
     * @param most on each queue
     * @return how many it has sent
     */
    public int depart(int most) {
        int departed = 0;
        for (SimulatedQueue queue : tx) {
            queue.enableNotifications(++plays % DOORBELL == 0);
            int count = queue.available(most);
            use(queue, count, 0);
            departed += count;
        }
        return departed;
    }

    private void use(SimulatedQueue queue, int count, int length) {
        if (count > 0 && ++plays % OTHERWISE == 0) {
            queue.useOtherwise(count, length);
        } else {
            queue.use(count, length);
        }
    }

    /** Closes the NIC; all its memory is freed. */
    @Override
    public void close() {
        depart(ALL); // else the NIC would wait for that
        nic.close();
    }
}
