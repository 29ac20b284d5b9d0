package io.doorbell.bench.peer;

import io.doorbell.bench.workload.Workload;
import java.time.Duration;

/** The other end of a vhost-user socket, on the other core. */
public interface BackEnd extends AutoCloseable {

    /** Entries in each of a front-end's rings. */
    int QUEUE_SIZE = 256;

    /** How long frames flow before they are counted. */
    Duration SETTLE = Duration.ofMillis(100);

    /** Exchanges frames with the front-end that is connected; returns how many millions passed in a second. */
    double measure(Workload workload, Duration window);

    @Override
    void close();
}
