package io.doorbell.igb.vf;

import static io.doorbell.igb.spec.IgbRegisters.CTRL_RST;
import static io.doorbell.igb.vf.VfRegisters.CTRL;

import io.doorbell.DoorbellException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.link.LinkStatus;
import io.doorbell.igb.nic.QueueSetup;
import io.doorbell.igb.ring.RingSetup;
import io.doorbell.igb.ring.RxFormat;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import java.util.Optional;

/** Brings a virtual function up and down. The link, the filters and the receiver as a whole are the port's. */
final class VfSetup implements QueueSetup {

    /** The check sequence and a VLAN tag, which the port counts too. */
    private static final int BEYOND_FRAME = 8;

    private final RegisterFile registers;
    private final VfMailbox mailbox;
    private final PortRequests port;
    private final VfInterrupts interrupts;
    private final RingSetup rings;
    private final Duration patience;

    /** @param patience how long to wait for a port that is being reset */
    VfSetup(RegisterFile registers, VfMailbox mailbox, PortRequests port, VfInterrupts interrupts, Duration patience) {
        this.registers = registers;
        this.mailbox = mailbox;
        this.port = port;
        this.interrupts = interrupts;
        this.rings = new RingSetup(registers, VfRegisters.RINGS);
        this.patience = patience;
    }

    /** Has the queues and the interrupts as they were at first, and tells the port, which forgets what it was asked for. */
    void reset() {
        registers.status();
        interrupts.mask();
        registers.write(CTRL, registers.read(CTRL) | CTRL_RST.mask());
        interrupts.mask();
    }

    /**
     * Makes itself known to the port, whose driver lets the queues run then.
     *
     * @return the station address that it has for this function
     * @throws PortSilentException when the port is down, or its driver does not answer
     */
    Optional<MacAddress> introduce() {
        if (!BoundedWait.until(() -> !mailbox.isPortInReset(), patience)) {
            throw new PortSilentException(
                    registers.nic(),
                    "it is held in reset, for " + patience.toMillis() + " ms by now (V2PMAILBOX.RSTI)");
        }
        return port.introduce();
    }

    /** What the port is to be asked for: the longest frame. Checksums are looked at, and tags taken out, by its own setting. */
    @Override
    public void setUpReceivers(RxFormat format) {
        if (!port.longest(format.longest() + BEYOND_FRAME)) {
            throw new DoorbellException("the port of " + registers.nic() + " refuses frames of " + format.longest()
                    + " bytes: open it with smaller buffers (NicConfig.withBufferSize)");
        }
    }

    @Override
    public void setUpReceive(int queue, long ring, int descriptors, int bytesPerBuffer) {
        rings.receive(queue, ring, descriptors, bytesPerBuffer);
    }

    /** It is the port's, and on. */
    @Override
    public void enableReceiver() {}

    @Override
    public void setUpTransmit(int queue, long ring, int descriptors) {
        rings.transmit(queue, ring, descriptors);
    }

    /** It is the port's, and on. */
    @Override
    public void enableTransmitter() {}

    /** The port's, which speaks of it as long as it knows this function. */
    LinkState linkState() {
        return LinkStatus.of(registers.status());
    }

    /** Lets go of the rings. */
    void shutDown(int queues) {
        registers.status();
        rings.disableAll(queues);
    }
}
