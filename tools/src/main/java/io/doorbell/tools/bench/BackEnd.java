package io.doorbell.tools.bench;

import java.time.Duration;

/** The other end of a vhost-user socket, on the other core. */
interface BackEnd extends AutoCloseable {

    /** Exchanges frames with the front-end that is connected; returns how many millions passed in a second. */
    double measure(Work work, Duration window);

    @Override
    void close();
}
