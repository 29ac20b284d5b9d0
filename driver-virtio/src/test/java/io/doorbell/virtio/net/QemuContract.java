package io.doorbell.virtio.net;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.LinkPeer;
import io.doorbell.frame.NicContractTest;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import java.util.Optional;

/** For QEMU's virtio-net. */
abstract class QemuContract extends NicContractTest {

    final QtestMachine machine;

    QemuContract(String... properties) {
        machine = QtestMachine.builder().nic("virtio-net-pci", properties).start();
    }

    @Override
    protected String name() {
        return "0000:00:04.0";
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
