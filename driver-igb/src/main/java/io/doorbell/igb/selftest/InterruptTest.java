package io.doorbell.igb.selftest;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Whether each cause of an interrupt, set through ICS, shows in ICR, and interrupts when it may, and not when it is masked (82576
 * data sheet, 8.8).
 */
public final class InterruptTest {

    private static final Duration LIMIT = Duration.ofMillis(500);
    /** In which an interrupt that is not to come would have come. */
    private static final Duration QUIET = Duration.ofMillis(2);

    private static final int ALL = -1;

    private final RegisterFile registers;
    private final IgbModel model;

    public InterruptTest(RegisterFile registers, IgbModel model) {
        this.registers = registers;
        this.model = model;
    }

    /**
     * Works through all, after a reset.
     *
     * @param vector the number of an MSI-X vector that nobody else uses
     * @param event what is signalled by it; null where there is none, so that nothing but ICR is looked at
     * @return how many there were, in words
     * @throws DefectException when one is wrong
     */
    public String run(int vector, @Nullable EventFd event) {
        registers.status();
        // ICR is cleared by being read, however interrupts are brought.
        registers.write(GPIE, GPIE_NSICR.mask() | (event == null ? 0 : GPIE_MULTIPLE_MSIX.mask()));
        if (event != null) {
            int entry = IVAR_VALID | vector;
            registers.write(IVAR_MISC, IVAR_MISC_TCP_TIMER.of(entry) | IVAR_MISC_OTHER_CAUSE.of(entry));
            registers.write(EIAC, 1 << vector); // what has interrupted does so again
            registers.write(EIAM, 0);
        }
        int tested = 0;
        for (int bit = 0; bit < 31; bit++) {
            int cause = 1 << bit;
            if ((model.interruptCauses() & cause) != 0) {
                causes(cause, vector, event);
                tested++;
            }
        }
        return event == null
                ? tested + " causes show in ICR; there is no MSI-X vector to see them interrupt by"
                : tested + " causes show in ICR, and interrupt when they may";
    }

    private void causes(int cause, int vector, @Nullable EventFd event) {
        mask();
        registers.take(ICR, 0);
        if (event != null) {
            registers.write(EIMS, 1 << vector);
            event.clear();
        }
        registers.write(ICS, cause);
        registers.status(); // which has the write arrive
        if (event != null && BoundedWait.until(event::clear, QUIET)) {
            throw new DefectException(String.format(
                    "cause 0x%08x interrupted, though it was masked: IMS=0x%08x", cause, registers.read(IMS)));
        }
        shows(cause, "masked");
        if (event == null) {
            return;
        }
        registers.write(IMS, cause);
        registers.write(ICS, cause);
        if (!BoundedWait.until(event::clear, LIMIT)) {
            throw new DefectException(String.format(
                    "cause 0x%08x did not interrupt within %d ms: IMS=0x%08x, EIMS=0x%08x, IVAR_MISC=0x%08x",
                    cause, LIMIT.toMillis(), registers.read(IMS), registers.read(EIMS), registers.read(IVAR_MISC)));
        }
        shows(cause, "not masked");
        mask();
    }

    private void mask() {
        registers.write(IMC, ALL);
        registers.write(EIMC, ALL);
    }

    private void shows(int cause, String how) {
        long icr = registers.take(ICR, 0);
        if ((icr & cause) == 0) {
            throw new DefectException(
                    String.format("cause 0x%08x, set through ICS and %s, does not show: ICR=0x%08x", cause, how, icr));
        }
    }
}
