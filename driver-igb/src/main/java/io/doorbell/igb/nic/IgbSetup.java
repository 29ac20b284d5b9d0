package io.doorbell.igb.nic;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.link.IgbLink;
import io.doorbell.igb.nvm.IgbNvm;
import io.doorbell.igb.ring.RingSetup;
import io.doorbell.igb.ring.RxFormat;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.Capability;
import io.doorbell.pci.ConfigSpace;
import java.time.Duration;
import java.util.Optional;

/**
 * Brings the device up and down, in the order and in the words of the 82576 data sheet's initialization sequence (4.5).
 * Touches registers only; the rings are laid out by then.
 */
public class IgbSetup implements QueueSetup {

    private static final Duration LIMIT = Duration.ofMillis(500);
    /** Time for the device to finish a reset before it is touched again (8.2.1), with a margin. */
    private static final Duration AFTER_RESET = Duration.ofMillis(10);

    /** In which the device has loaded its defaults from the NVM. */
    private static final Duration NVM_READ = Duration.ofMillis(10);

    /** In which the transmit FIFO empties, with a margin. */
    private static final Duration FIFO = Duration.ofMillis(50);

    /** In the PCI Express capability. */
    private static final int DEVICE_CONTROL_2 = 0x28;

    /** 16 to 55 ms, in Device Control 2. */
    private static final int TIMEOUT_16_MS = 5;

    /** 10 to 200 ms, in GCR. */
    private static final int TIMEOUT_10_MS = 1;

    private static final int ALL = -1;
    private static final int COPPER = 0;
    private static final int CHECK_SEQUENCE = 4;

    private final String name;
    private final RegisterFile registers;
    private final IgbModel model;
    private final IgbLink link;
    private final RingSetup rings;

    public IgbSetup(RegisterFile registers, IgbModel model) {
        this.name = registers.nic();
        this.registers = registers;
        this.model = model;
        this.link = new IgbLink(registers, model);
        this.rings = new RingSetup(registers, RINGS);
    }

    /** Its link, which {@link #setUpLink} sets up. */
    public IgbLink link() {
        return link;
    }

    /** Before the first reset: frees what a driver that was killed left taken, which no reset does. */
    public void takeOver() {
        link.takeOver();
    }

    /** Global reset (4.5.5), with interrupts masked before and after (4.5.4): this driver polls. */
    public void reset() {
        registers.status();
        maskInterrupts();
        stopMastering();
        registers.set(CTRL, CTRL_RST);
        pause(AFTER_RESET);
        BoundedWait.require(
                "CTRL.RST to clear",
                () -> !CTRL_RST.isSetIn(registers.read(CTRL)),
                LIMIT,
                () -> String.format("%s has CTRL=0x%08x", name, registers.read(CTRL)));
        // As long as Linux and DPDK wait, and like them not longer: AUTO_RD stays clear without an EEPROM, and in QEMU.
        // Whether there is a station address tells in the end.
        BoundedWait.until(() -> EEC_AUTO_RD.isSetIn(registers.read(EEC)), NVM_READ);
        maskInterrupts();
    }

    private void maskInterrupts() {
        registers.write(EIMC, ALL);
        registers.write(IMC, ALL);
        registers.take(ICR, 0);
    }

    /** No DMA may be under way when the device is reset (5.2.3.3). */
    private void stopMastering() {
        registers.set(CTRL, CTRL_GIO_MASTER_DISABLE);
        // If a request is stuck the reset is the only way on.
        BoundedWait.until(() -> !STATUS_GIO_MASTER_ENABLE.isSetIn(registers.read(STATUS)), LIMIT);
    }

    /** General configuration (4.5.5): the link mode that this driver knows, and word to the firmware that we are here. */
    public void configure() {
        registers.status();
        int mode = CTRL_EXT_LINK_MODE.in(registers.read(CTRL_EXT));
        if (mode != COPPER) {
            throw new DoorbellException(name + " is strapped for link mode " + mode + " (SGMII or SerDes);"
                    + " this driver sets up copper ports only");
        }
        registers.set(CTRL_EXT, CTRL_EXT_DRV_LOAD);
    }

    /** Link setup (4.5.7). */
    public void setUpLink() {
        link.setUp();
    }

    /**
     * What the device is to do when an answer from memory fails to come (8.6): give up in time, so that it is not reset by
     * somebody else for that, and not ask again for ever.
     *
     * @param express where its PCI Express capability is, in {@code config}; empty where it has none
     */
    public void setUpBus(ConfigSpace config, Optional<Capability> express) {
        int gcr = registers.read(GCR);
        if (model.hasCompletionTimeout() && GCR_CMPL_TMOUT.in(gcr) == 0) {
            if (!GCR_CAP_VER2.isSetIn(gcr)) {
                gcr |= GCR_CMPL_TMOUT.of(TIMEOUT_10_MS);
            } else if (express.isPresent()) {
                int control = express.get().offset() + DEVICE_CONTROL_2;
                config.write16(control, config.read16(control) | TIMEOUT_16_MS);
            }
        }
        registers.write(GCR, gcr & ~GCR_CMPL_TMOUT_RESEND.mask());
    }

    /** What goes for all receive queues (4.5.9): lengths, checksums, VLAN tags. */
    @Override
    public void setUpReceivers(RxFormat format) {
        // The device adds a VLAN tag by itself.
        registers.write(RLPML, format.longest() + CHECK_SEQUENCE);
        registers.put(RCTL, RCTL_LPE, format.isJumbo());
        registers.put(RXCSUM, RXCSUM_IPOFLD, format.checksums());
        registers.put(RXCSUM, RXCSUM_TUOFLD, format.checksums());
        registers.put(RXCSUM, RXCSUM_CRCOFL, format.checksums());
        registers.put(CTRL, CTRL_VME, format.tags());
        // Linux and DPDK do so in all models, because of an erratum: extension headers of IPv6 are not looked into.
        registers.set(RFCTL, RFCTL_IPV6_EX_DIS);
    }

    /** Receive initialization (4.5.9) of one queue, behind that of the filters. */
    @Override
    public void setUpReceive(int queue, long ring, int descriptors, int bytesPerBuffer) {
        rings.receive(queue, ring, descriptors, bytesPerBuffer);
    }

    /**
     * Turns the receiver on, once its queues are enabled and before their rings are given descriptors: frames that come
     * earlier wait in the device's buffer, and QEMU throws them away if a tail moves while the receiver is off.
     */
    @Override
    public void enableReceiver() {
        registers.write(RCTL, registers.read(RCTL) | RCTL_RXEN.mask() | RCTL_SECRC.mask());
    }

    /** Transmit initialization (4.5.10) of one queue. */
    @Override
    public void setUpTransmit(int queue, long ring, int descriptors) {
        rings.transmit(queue, ring, descriptors);
    }

    /** Turns the transmitter on, once its queues are enabled. */
    @Override
    public void enableTransmitter() {
        registers.write(
                TCTL, TCTL_EN.mask() | TCTL_PSP.mask() | TCTL_CT.of(0x0f) | TCTL_COLD.of(0x40) | TCTL_RTLC.mask());
    }

    /** Lets go of the rings: the receiver and the transmitter stop, then their queues (4.5.9, 4.5.10). */
    public void shutDown(int queues) {
        registers.status();
        awaitEmptyFifo();
        registers.clear(RCTL, RCTL_RXEN);
        registers.clear(TCTL, TCTL_EN);
        rings.disableAll(queues);
        registers.clear(CTRL_EXT, CTRL_EXT_DRV_LOAD);
    }

    /** What has left the rings is in the device still: at 10 Mb/s, it takes 16 ms to send all. Without a link it never ends. */
    private void awaitEmptyFifo() {
        BoundedWait.until(() -> registers.read(TDFPC) == 0 || !STATUS_LU.isSetIn(registers.read(STATUS)), FIFO);
    }

    /** Has the device let go of one receive queue's ring, while the others go on (4.5.9). */
    public void disableReceive(int queue) {
        rings.disableReceive(queue);
    }

    /** Has the device let go of one transmit queue's ring, while the others go on (4.5.10). */
    public void disableTransmit(int queue) {
        rings.disableTransmit(queue);
    }

    /**
     * The station address, which a reset loads from the NVM into the first receive address register (8.10). The reset did
     * not wait for that until the end.
     */
    public MacAddress macAddress() {
        BoundedWait.until(() -> hasAddress() || EEC_AUTO_RD.isSetIn(registers.read(EEC)), LIMIT);
        if (!hasAddress()) {
            throw new DoorbellException(name + " has no station address: RAL[0] and RAH[0] hold " + address()
                    + (RAH_AV.isSetIn(registers.read(RAH)) ? ", which is not a unicast address" : " and AV is clear")
                    + "; " + describeNvm(registers.read(EEC)));
        }
        return address();
    }

    /**
     * The station address that is to be used in place of that, as the NVM of an 82576 may say; the firmware of others has seen to
     * it by now. Empty where there is none, or no NVM that could be read.
     */
    public Optional<MacAddress> alternateAddress(IgbNvm nvm) {
        try {
            return nvm.alternateAddress(STATUS_LAN_ID.in(registers.status()));
        } catch (BrokenDeviceException gone) {
            throw gone;
        } catch (DoorbellException e) {
            return Optional.empty();
        }
    }

    private boolean hasAddress() {
        return RAH_AV.isSetIn(registers.read(RAH)) && address().isUnicast();
    }

    private MacAddress address() {
        int high = registers.read(RAH);
        long low = Integer.toUnsignedLong(registers.read(RAL));
        // RAL holds the first four bytes on the wire, the first one lowest.
        return new MacAddress(Long.reverseBytes(low | (long) (high & 0xffff) << 32) >>> 16);
    }

    private static String describeNvm(int eec) {
        if (EEC_AUTO_RD.isSetIn(eec)) {
            return String.format("its NVM, which it has read (EEC=0x%08x), is empty or damaged", eec);
        }
        return EEC_EE_PRES.isSetIn(eec)
                ? String.format(
                        "the device has not read its NVM %d ms after the reset: EEC=0x%08x, and AUTO_RD is clear",
                        LIMIT.toMillis(), eec)
                : String.format("it has no NVM: EEC=0x%08x, and EE_PRES is clear", eec);
    }

    /** Whether the MAC has a link now; asks nobody else, and settles nothing. */
    public boolean hasLink() {
        return STATUS_LU.isSetIn(registers.status());
    }

    /**
     * Whether a frame for a receive queue without descriptors is dropped, or waits in the packet buffer, and with it all behind it,
     * also for other queues. It waits where there is one queue, and where the other end can be told to wait.
     */
    public void dropWhenFull(int queues) {
        boolean drop = queues > 1 && !link.wantedPause().sends();
        for (int queue = 0; queue < queues; queue++) {
            registers.write(
                    SRRCTL,
                    queue,
                    (registers.read(SRRCTL, queue) & ~SRRCTL_DROP_EN.mask()) | (drop ? SRRCTL_DROP_EN.mask() : 0));
        }
    }

    public LinkState linkState() {
        return link.state();
    }

    private static void pause(Duration time) {
        BoundedWait.until(() -> false, time);
    }
}
