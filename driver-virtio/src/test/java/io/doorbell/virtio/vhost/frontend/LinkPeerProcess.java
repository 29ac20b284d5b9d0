package io.doorbell.virtio.vhost.frontend;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;

/** The main program of a second JVM: opens a NIC and sends back what it receives, until its standard input ends. */
final class LinkPeerProcess {

    private LinkPeerProcess() {}

    public static void main(String[] arguments) throws Exception {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                while (System.in.read() >= 0) {
                    // whoever started us is there
                }
            } catch (java.io.IOException e) {
                System.err.println(e);
            }
            Runtime.getRuntime().halt(0);
        });
        boolean sleepless = arguments.length > 1; // at work again at once, when it was stopped
        try (Nic nic = Nic.open(arguments[0], NicConfig.defaults())) {
            System.out.println("open");
            FrameBatch batch = new FrameBatch(32);
            while (true) {
                nic.rxQueue(0).receive(batch);
                if (batch.isEmpty() && !sleepless) {
                    Thread.sleep(0, 50_000);
                } else {
                    nic.txQueue(0).send(batch);
                }
            }
        }
    }
}
