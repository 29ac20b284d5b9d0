package io.doorbell.virtio.vhost;

/** As the other one, with a million sleeps and wake-ups. */
class VhostWaitingIT extends VhostWaitingTest {

    /** Each of four layouts, and each of two ends; in one of four rounds the answer is there before the thread sleeps. */
    @Override
    int rounds() {
        return 1_000_000 / 6;
    }
}
