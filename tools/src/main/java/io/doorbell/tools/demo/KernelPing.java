package io.doorbell.tools.demo;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.tools.host.Program;

/** Has the kernel's own stack ping a NIC from another one on the same wire, and answers for the NIC. */
final class KernelPing {

    private static final int COUNT = 5;
    private static final String IP = GuestMachine.tool("ip");

    /** Of a network that is kept for examples (RFC 5737). */
    private static final String KERNEL_ADDRESS = "192.0.2.1";

    private static final String OUR_ADDRESS = "192.0.2.2";
    private static final int OUR_ADDRESS_BITS = 0xc000_0202;

    private final Nic nic;
    private final String kernelInterface;
    private final FrameBatch batch = new FrameBatch(32);

    KernelPing(Nic nic, String kernelInterface) {
        this.nic = nic;
        this.kernelInterface = kernelInterface;
    }

    /** Sets the kernel's interface up for as long as it takes. */
    Pings run() {
        Program.run(IP, "address", "flush", "dev", kernelInterface);
        Program.run(IP, "address", "add", KERNEL_ADDRESS + "/24", "dev", kernelInterface);
        Program.run(IP, "link", "set", kernelInterface, "up");
        PingResponder responder = new PingResponder(nic.macAddress(), OUR_ADDRESS_BITS);
        Pings pings;
        try (Program ping = Program.start(
                GuestMachine.tool("ping"),
                "-c",
                String.valueOf(COUNT),
                "-i",
                "0.2",
                "-w",
                "20",
                "-I",
                kernelInterface,
                OUR_ADDRESS)) {
            while (ping.isRunning()) {
                answerWhatHasCome(responder);
                Program.nap();
            }
            pings = new Pings(COUNT, PingOutput.answered(ping.output()));
        }
        Program.run(IP, "link", "set", kernelInterface, "down");
        return pings;
    }

    private void answerWhatHasCome(PingResponder responder) {
        nic.rxQueue(0).receive(batch);
        for (int i = batch.size() - 1; i >= 0; i--) {
            if (!responder.answer(batch.frame(i))) {
                batch.release(i);
            }
        }
        nic.txQueue(0).send(batch);
        batch.release();
    }
}
