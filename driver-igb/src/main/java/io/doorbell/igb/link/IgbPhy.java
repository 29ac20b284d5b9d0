package io.doorbell.igb.link;

import static io.doorbell.igb.spec.IgbRegisters.MDIC;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_DATA;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_ERROR;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_OP;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_PHYADD;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_READY;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_REGADD;

import io.doorbell.DoorbellException;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;

/** The copper PHY behind the MAC, reached over MDIO through the MDIC register (82576 data sheet, 8.2.4). */
public final class IgbPhy {

    /** Basic mode control and status (IEEE 802.3, 22.2.4.1 and 22.2.4.2). */
    private static final int BMCR = 0;

    private static final int BMSR = 1;
    private static final int BMCR_RESTART_AUTONEGOTIATION = 1 << 9;
    private static final int BMCR_AUTONEGOTIATION = 1 << 12;
    private static final int BMSR_LINK = 1 << 2;
    private static final int BMSR_AUTONEGOTIATION_COMPLETE = 1 << 5;

    /** The address of the internal PHY; the 82580 ignores it and looks into MDICNFG. */
    private static final int ADDRESS = 1;

    private static final int WRITE = 1;
    private static final int READ = 2;
    private static final Duration LIMIT = Duration.ofMillis(500);

    private final RegisterFile registers;
    private final IgbSemaphore semaphore;

    public IgbPhy(RegisterFile registers) {
        this.registers = registers;
        this.semaphore = new IgbSemaphore(registers);
    }

    /** Starts to agree with the other end on speed and duplex. The link comes up some time later. */
    public void restartAutonegotiation() {
        semaphore.withPhy(() -> transfer(WRITE, BMCR, BMCR_AUTONEGOTIATION | BMCR_RESTART_AUTONEGOTIATION));
    }

    /** What the PHY says of the link, in words. */
    public String describe() {
        int[] bmsr = new int[1];
        semaphore.withPhy(() -> {
            transfer(READ, BMSR, 0); // The link bit latches a failure until it is read.
            bmsr[0] = transfer(READ, BMSR, 0);
        });
        return String.format(
                "PHY BMSR=0x%04x (link %s, autonegotiation %s)",
                bmsr[0],
                (bmsr[0] & BMSR_LINK) != 0 ? "up" : "down",
                (bmsr[0] & BMSR_AUTONEGOTIATION_COMPLETE) != 0 ? "complete" : "not complete");
    }

    /** Before the first access: what a driver that was killed left taken is free then. */
    public void takeOver() {
        semaphore.takeOver();
    }

    private int transfer(int op, int register, int data) {
        registers.write(MDIC, MDIC_OP.of(op) | MDIC_PHYADD.of(ADDRESS) | MDIC_REGADD.of(register) | MDIC_DATA.of(data));
        String asked = String.format(
                "the PHY of %s to %s register %d", registers.nic(), op == READ ? "read" : "write", register);
        BoundedWait.require(
                asked,
                () -> MDIC_READY.isSetIn(registers.read(MDIC)),
                LIMIT,
                () -> String.format("MDIC=0x%08x, and R (bit 28) is clear", registers.read(MDIC)));
        int answer = registers.read(MDIC);
        if (MDIC_ERROR.isSetIn(answer)) {
            throw new DoorbellException(
                    String.format("asked %s, which it refused: MDIC=0x%08x, and E (bit 30) is set", asked, answer));
        }
        return MDIC_DATA.in(answer);
    }
}
