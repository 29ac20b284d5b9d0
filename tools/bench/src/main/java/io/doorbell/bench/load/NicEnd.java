package io.doorbell.bench.load;

import io.doorbell.bench.workload.Workload;
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
        run(Workload.RECEIVE, "vhost-user-backend:" + socket);
        return socket;
    }

    @Override
    String send(String socket) {
        run(Workload.SEND, "vhost-user:" + socket);
        return socket;
    }

    private void run(Workload workload, String name) {
        Nic nic = Nic.open(name);
        start(() -> {
            try (nic) {
                FrameBatch batch = new FrameBatch(BATCH);
                long count = 0;
                while (goesOn()) {
                    count += workload.poll(nic, batch, POLLS);
                    passed(count);
                }
                batch.release();
            }
        });
    }
}
