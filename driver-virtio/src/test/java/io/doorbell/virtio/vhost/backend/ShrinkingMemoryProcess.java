package io.doorbell.virtio.vhost.backend;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.virtio.vhost.frontend.VhostUserNicTest;

/**
 * A program of its own, so that it can be interpreted or compiled as a test wants it: a back-end whose front-ends, one
 * after the other, make the files shorter that their memory is in, while an application's loop polls. Prints what the
 * loop was told, and what came out of it in a place where no application expects it.
 */
final class ShrinkingMemoryProcess {

    private static final int POOL = 256;

    private final Nic back;
    private final FrameBatch batch = new FrameBatch(32);
    private long named;
    private long strays;
    private long silent;

    private ShrinkingMemoryProcess(Nic back) {
        this.back = back;
    }

    // The arguments are the path of the socket, how many front-ends there are, and how many polls each of them lives
    // for.
    public static void main(String[] arguments) throws InterruptedException {
        String path = arguments[0];
        int sessions = Integer.parseInt(arguments[1]);
        int polls = Integer.parseInt(arguments[2]);
        try (FramePool pool = FramePool.create(POOL, 2048);
                Nic back = Nic.open(
                        "vhost-user-backend:" + path, NicConfig.defaults().withPool(pool))) {
            ShrinkingMemoryProcess process = new ShrinkingMemoryProcess(back);
            for (int session = 0; session < sessions; session++) {
                process.serve(path, session, polls);
            }
            // In one piece, as what is logged goes the same way.
            System.out.println("named=" + process.named + " strays=" + process.strays + " silent=" + process.silent
                    + " lost=" + (POOL - pool.available()));
        }
    }

    private void serve(String path, int session, int polls) throws InterruptedException {
        try (RawFrontEnd front = new RawFrontEnd(path).start()) {
            Thread thief = null;
            try {
                for (int poll = 0; poll < polls; poll++) {
                    if (poll % 8 == 0 && poll < polls - 1000) {
                        front.sendFrame(poll);
                        front.describe(RawFrontEnd.RECEIVE, 0, RawFrontEnd.FRAMES, 2048, RawFrontEnd.WRITE, 0);
                        front.makeAvailable(RawFrontEnd.RECEIVE, 0);
                    }
                    turn();
                }
                thief = Thread.ofPlatform().start(() -> steal(front, session));
                long deadline = System.nanoTime() + VhostUserNicTest.SOON.toNanos();
                while (System.nanoTime() < deadline) {
                    turn();
                }
                silent++;
            } catch (BrokenDeviceException e) {
                named++;
            } catch (InternalError e) {
                strays++;
            }
            if (thief != null) {
                thief.join();
            }
            batch.release();
        }
        BoundedWait.until(() -> !back.linkState().up(), VhostUserNicTest.SOON);
    }

    /** What an application does: it forwards. */
    private void turn() {
        back.rxQueue(0).receive(batch);
        back.txQueue(0).send(batch);
        batch.release();
    }

    /** Takes away either the rings or the frames; of these, one is on its way then. */
    private static void steal(RawFrontEnd front, int session) {
        if (session % 3 == 0) {
            front.kernel.ftruncate(front.ringFile, 0);
            return;
        }
        if (session % 3 == 1) {
            front.describe(RawFrontEnd.RECEIVE, 0, RawFrontEnd.FRAMES, 2048, RawFrontEnd.WRITE, 0);
            front.makeAvailable(RawFrontEnd.RECEIVE, 0);
            front.sendFrame(1);
        }
        front.kernel.ftruncate(front.frameFile, 0);
        front.describe(RawFrontEnd.TRANSMIT, 0, RawFrontEnd.FRAMES, 72, 0, 0);
        front.makeAvailable(RawFrontEnd.TRANSMIT, 0);
    }
}
