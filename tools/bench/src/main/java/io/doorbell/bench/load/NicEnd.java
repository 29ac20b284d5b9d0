package io.doorbell.bench.load;

import io.doorbell.bench.work.Work;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;

/** Doorbell's: a NIC at each end of a vhost-user socket, which is where frames go. */
public final class NicEnd extends SocketEnd {

    private static final int BATCH = 32;
    private static final int POLLS = 100;

    public static void main(String[] arguments) throws Throwable {
        new NicEnd().serve();
    }

    @Override
    String receive(String socket) {
        work(Work.RECEIVE, "vhost-user-backend:" + socket);
        return socket;
    }

    @Override
    String send(String socket) {
        work(Work.SEND, "vhost-user:" + socket);
        return socket;
    }

    private void work(Work work, String name) {
        Nic nic = Nic.open(name);
        start(() -> {
            try (nic) {
                FrameBatch batch = new FrameBatch(BATCH);
                long count = 0;
                while (goesOn()) {
                    count += work.poll(nic, batch, POLLS);
                    passed(count);
                }
                batch.release();
            }
        });
    }
}
