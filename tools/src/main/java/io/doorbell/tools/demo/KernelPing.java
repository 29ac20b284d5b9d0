package io.doorbell.tools.demo;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.waiting.QueueWaiter;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.tools.host.Program;
import java.time.Duration;

/** Has the kernel's own stack ping a NIC from another one on the same wire, and answers for the NIC; asleep in between. */
final class KernelPing {

    private static final int COUNT = 5;

    /** How soon to see that the program has ended. */
    private static final Duration NAP = Duration.ofMillis(20);

    private final Nic nic;
    private final KernelStation kernel;
    private final PingResponder responder;
    private final FrameBatch batch = new FrameBatch(32);

    KernelPing(Nic nic, KernelStation kernel) {
        this.nic = nic;
        this.kernel = kernel;
        this.responder = new PingResponder(nic.macAddress(), KernelStation.OTHER_ADDRESS_BITS);
    }

    Pings run() {
        try (QueueWaiter waiter = IdleTime.waiter(nic);
                Program ping = Program.start(
                        GuestMachine.tool("ping"),
                        "-c",
                        String.valueOf(COUNT),
                        "-i",
                        "0.2",
                        "-w",
                        "20",
                        "-I",
                        kernel.netInterface(),
                        KernelStation.OTHER_ADDRESS)) {
            while (ping.isRunning()) {
                for (int queue = 0; queue < nic.queues(); queue++) {
                    answerWhatHasCome(queue);
                }
                waiter.await(NAP);
            }
            return new Pings(COUNT, PingOutput.answered(ping.output()));
        }
    }

    private void answerWhatHasCome(int queue) {
        nic.rxQueue(queue).receive(batch);
        for (int i = batch.size() - 1; i >= 0; i--) {
            if (!responder.answer(batch.frame(i))) {
                batch.release(i);
            }
        }
        nic.txQueue(queue).send(batch);
        batch.release();
    }
}
