package io.doorbell.igb.nic;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.LinkPeer;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicContractTest;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.qemu.qtest.QtestPciFunction;
import java.time.Duration;
import java.util.Optional;

/** QEMU's 82576. */
class IgbContractTest extends NicContractTest {

    private static final int FRAME_CHECK_SEQUENCE = 4;

    private final QtestMachine machine = QtestMachine.builder()
            .nic("igb", "mac=52:54:00:12:34:56")
            .virtualTime()
            .start();

    @Override
    protected String name() {
        return "0000:00:04.0";
    }

    @Override
    protected Nic openNic(NicConfig config) {
        QtestPciFunction function = machine.open(0);
        return IgbNic.open(name(), function, IgbModel.of(function.id()).orElseThrow(), config);
    }

    @Override
    protected LinkPeer peer() {
        return new Cable(machine);
    }

    @Override
    protected void closePeer() {
        machine.close();
    }

    @Override
    protected FramePool applicationPool(int buffers, int bufferSize) {
        return FramePool.in(machine.allocate(FramePool.bytesFor(buffers, bufferSize)), buffers, bufferSize);
    }

    /** An interrupt closes the socket by which the device's registers are reached here. */
    @Override
    protected boolean bearsInterrupts() {
        return false;
    }

    /** The check sequence is on the wire, and the device's counters have it (7.10). */
    @Override
    protected int countedBytesBeyondFrame() {
        return FRAME_CHECK_SEQUENCE;
    }

    /** QEMU's igb is done with a frame when it has passed it on, whatever becomes of it. */
    @Override
    protected boolean fillsUp() {
        return false;
    }

    private record Cable(QtestMachine machine) implements LinkPeer {

        @Override
        public void send(byte[] frame) {
            machine.peer(0).send(frame);
        }

        @Override
        public Optional<byte[]> receive(Duration patience) {
            return machine.peer(0).receiveIfAny(patience);
        }

        @Override
        public void link(boolean up) {
            machine.setLink(0, up);
        }
    }
}
