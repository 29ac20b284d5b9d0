package io.doorbell.igb.link;

import static io.doorbell.igb.spec.IgbRegisters.STATUS_LAN_ID;
import static io.doorbell.igb.spec.IgbRegisters.SWSM;
import static io.doorbell.igb.spec.IgbRegisters.SWSM_SMBI;
import static io.doorbell.igb.spec.IgbRegisters.SWSM_SWESMBI;
import static io.doorbell.igb.spec.IgbRegisters.SW_FW_SYNC;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;

/**
 * The right to use what a port shares with its firmware and with the other ports: its PHY, and the NVM of all ports. Taken in
 * two steps: a short lock on SW_FW_SYNC (SWSM), then the resource's bit in it (82576 data sheet, 4.7 and 8.7).
 */
public final class IgbSemaphore {

    private static final Duration LIMIT = Duration.ofSeconds(1);
    /** The firmware's bit of a resource is this far above the software's. */
    private static final int FIRMWARE = 16;

    /** The bit of each port's PHY in SW_FW_SYNC. */
    private static final int[] PHY = {1 << 1, 1 << 2, 1 << 5, 1 << 6};

    /** The bit of the NVM in SW_FW_SYNC. */
    private static final int NVM = 1;

    private final RegisterFile registers;

    public IgbSemaphore(RegisterFile registers) {
        this.registers = registers;
    }

    /**
     * Frees what a driver that was killed held of this port. Before a driver's first access: nobody else keeps the one for
     * so long, and the other is of nobody else's use. DPDK does the same ({@code igb_reset_swfw_lock}).
     */
    public void takeOver() {
        int phy = phy();
        BoundedWait.until(this::tryLock, LIMIT);
        unlock();
        for (int resource : new int[] {phy, NVM}) {
            BoundedWait.until(() -> tryTake(resource), LIMIT);
            give(resource);
        }
    }

    /** Runs {@code access} while nobody else touches this port's PHY. */
    public void withPhy(Runnable access) {
        with("PHY", phy(), access);
    }

    /** Runs {@code access}, which is not to take long, while nobody else touches the NVM. */
    public void withNvm(Runnable access) {
        with("NVM", NVM, access);
    }

    private void with(String what, int resource, Runnable access) {
        BoundedWait.require(
                "the " + what + " semaphore of " + registers.nic(),
                () -> tryTake(resource),
                LIMIT,
                () -> String.format(
                        "SW_FW_SYNC=0x%08x; the firmware or another port's driver holds it",
                        registers.read(SW_FW_SYNC)));
        try {
            access.run();
        } catch (Throwable e) {
            Cleanup.after(e, () -> give(resource));
            throw e;
        }
        give(resource);
    }

    private int phy() {
        return PHY[STATUS_LAN_ID.in(registers.status())];
    }

    private boolean tryTake(int resource) {
        lock();
        try {
            int sync = registers.read(SW_FW_SYNC);
            if ((sync & (resource | resource << FIRMWARE)) != 0) {
                return false;
            }
            registers.write(SW_FW_SYNC, sync | resource);
            return true;
        } finally {
            unlock();
        }
    }

    private void give(int resource) {
        lock();
        registers.write(SW_FW_SYNC, registers.read(SW_FW_SYNC) & ~resource);
        unlock();
    }

    private void lock() {
        BoundedWait.require("SWSM.SMBI of " + registers.nic(), this::tryLock, LIMIT, () -> "another driver holds it");
        boolean both = BoundedWait.until(
                () -> {
                    registers.write(SWSM, registers.read(SWSM) | SWSM_SWESMBI.mask());
                    return SWSM_SWESMBI.isSetIn(registers.read(SWSM));
                },
                LIMIT);
        if (!both) {
            unlock();
            throw new DoorbellException("waited " + LIMIT.toMillis() + " ms for SWSM.SWESMBI of " + registers.nic()
                    + ", in vain: the firmware holds it");
        }
    }

    /** The read that finds SMBI clear has set it. */
    private boolean tryLock() {
        return !SWSM_SMBI.isSetIn(registers.read(SWSM));
    }

    private void unlock() {
        registers.write(SWSM, registers.read(SWSM) & ~(SWSM_SMBI.mask() | SWSM_SWESMBI.mask()));
    }
}
