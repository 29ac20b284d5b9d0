package io.doorbell.igb.link;

import static io.doorbell.igb.spec.IgbRegisters.MDIC;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_DATA;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_ERROR;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_OP;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_PHYADD;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_READY;
import static io.doorbell.igb.spec.IgbRegisters.MDIC_REGADD;

import io.doorbell.DoorbellException;
import io.doorbell.frame.ability.LinkMode;
import io.doorbell.frame.ability.LinkSettings;
import io.doorbell.frame.ability.Pause;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.PhyKind;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;

/** The copper PHY behind the MAC, reached over MDIO through the MDIC register (82576 data sheet, 8.2.4). */
final class IgbPhy {

    /** Registers of each PHY (IEEE 802.3, 22.2.4): control, status, what is offered, what the other end offers. */
    private static final int BMCR = 0;

    private static final int BMSR = 1;
    private static final int ADVERTISEMENT = 4;
    private static final int PARTNER = 5;
    private static final int GIGABIT_CONTROL = 9;
    private static final int GIGABIT_STATUS = 10;

    private static final int BMCR_FULL_DUPLEX = 1 << 8;
    private static final int BMCR_RESTART_AUTONEGOTIATION = 1 << 9;
    private static final int BMCR_AUTONEGOTIATION = 1 << 12;
    private static final int BMCR_100 = 1 << 13;
    /** Loopback, at 1000 Mb/s and full duplex, which are not negotiated. */
    private static final int BMCR_LOOPBACK = (1 << 14) | (1 << 8) | (1 << 6);

    private static final int BMCR_RESET = 1 << 15;
    private static final int BMSR_LINK = 1 << 2;
    private static final int BMSR_AUTONEGOTIATION_COMPLETE = 1 << 5;

    /** Bits of {@link #ADVERTISEMENT} and {@link #PARTNER}. */
    private static final Map<LinkMode, Integer> OFFERS = Map.of(
            LinkMode.TEN_HALF, 1 << 5,
            LinkMode.TEN_FULL, 1 << 6,
            LinkMode.HUNDRED_HALF, 1 << 7,
            LinkMode.HUNDRED_FULL, 1 << 8);

    private static final int PAUSE = 1 << 10;
    private static final int ASYMMETRIC_PAUSE = 1 << 11;
    private static final int OFFERS_GIGABIT = 1 << 9;
    private static final int OFFERS_GIGABIT_HALF = 1 << 8;
    private static final int PARTNER_OFFERS_GIGABIT = 1 << 11;

    /** The address of the internal PHY; the 82580 ignores it and looks into MDICNFG. */
    private static final int ADDRESS = 1;

    private static final int WRITE = 1;
    private static final int READ = 2;
    /** In which the PHY gets ready for loopback, as long as Linux waits. */
    private static final Duration BEFORE_LOOPBACK = Duration.ofMillis(50);

    private static final Duration LIMIT = Duration.ofMillis(500);

    private final RegisterFile registers;
    private final PhyKind kind;
    private final IgbSemaphore semaphore;

    IgbPhy(RegisterFile registers, PhyKind kind) {
        this.registers = registers;
        this.kind = kind;
        this.semaphore = new IgbSemaphore(registers);
    }

    /** Before the first access: what a driver that was killed left taken is free then. */
    void takeOver() {
        semaphore.takeOver();
    }

    /** Tells the PHY all that there is to be told, whatever it was told before, and has it begin. The link comes up later. */
    void setUp(LinkSettings settings, Pause pause) {
        semaphore.withPhy(() -> {
            prepare(settings);
            change(ADVERTISEMENT, offers(LinkMode.values()) | PAUSE | ASYMMETRIC_PAUSE, offers(settings, pause));
            change(
                    GIGABIT_CONTROL,
                    OFFERS_GIGABIT | OFFERS_GIGABIT_HALF,
                    settings.modes().contains(LinkMode.GIGABIT_FULL) ? OFFERS_GIGABIT : 0);
            write(BMCR, control(settings));
            if (kind.resetsToApply() && !settings.autonegotiates()) {
                reset(control(settings));
            }
        });
    }

    private void prepare(LinkSettings settings) {
        PhyKind.Crossovers crossovers = kind.crossovers();
        int crossover = switch (settings.crossover()) {
            // Without negotiation, most PHYs have nothing to find out by.
            case AUTO -> settings.autonegotiates() || kind.resetsToApply() ? crossovers.auto() : crossovers.mdi();
            case MDI -> crossovers.mdi();
            case MDIX -> crossovers.mdix();
        };
        change(crossovers.register(), crossovers.mask(), crossover);
        PhyKind.Preparation preparation = kind.preparation();
        change(preparation.register(), preparation.clear() | preparation.set(), preparation.set());
        if (kind.resetsToApply()) {
            reset(read(BMCR));
        }
    }

    private void reset(int control) {
        write(BMCR, control | BMCR_RESET);
        BoundedWait.require(
                "the PHY of " + registers.nic() + " to reset",
                () -> (read(BMCR) & BMCR_RESET) == 0,
                LIMIT,
                () -> String.format("BMCR=0x%04x, and bit 15 is set", read(BMCR)));
    }

    private static int offers(LinkMode... modes) {
        int bits = 0;
        for (LinkMode mode : modes) {
            bits |= OFFERS.getOrDefault(mode, 0);
        }
        return bits;
    }

    /** Only receiving cannot be offered: it is the same offer as both, and the answer decides (IEEE 802.3, table 28B-3). */
    private static int offers(LinkSettings settings, Pause pause) {
        return offers(settings.modes().toArray(LinkMode[]::new))
                | (pause.receives() ? PAUSE : 0)
                | (pause.equals(Pause.NEITHER) ? 0 : ASYMMETRIC_PAUSE);
    }

    private static int control(LinkSettings settings) {
        if (settings.autonegotiates()) {
            return BMCR_AUTONEGOTIATION | BMCR_RESTART_AUTONEGOTIATION;
        }
        LinkMode mode = settings.modes().iterator().next();
        return (mode.fullDuplex() ? BMCR_FULL_DUPLEX : 0) | (mode.megabitsPerSecond() == 100 ? BMCR_100 : 0);
    }

    /** What the other end offers. */
    Set<LinkMode> partner() {
        int[] offered = new int[2];
        semaphore.withPhy(() -> {
            if ((status() & BMSR_AUTONEGOTIATION_COMPLETE) != 0) {
                offered[0] = read(PARTNER);
                offered[1] = read(GIGABIT_STATUS);
            }
        });
        Set<LinkMode> modes = EnumSet.noneOf(LinkMode.class);
        OFFERS.forEach((mode, bit) -> {
            if ((offered[0] & bit) != 0) {
                modes.add(mode);
            }
        });
        if ((offered[1] & PARTNER_OFFERS_GIGABIT) != 0) {
            modes.add(LinkMode.GIGABIT_FULL);
        }
        return modes;
    }

    /** What both ends' offers come to (IEEE 802.3, table 28B-3); what is wanted, where they have not negotiated. */
    Pause negotiatedPause(Pause wanted) {
        int[] offers = new int[2];
        boolean[] complete = new boolean[1];
        semaphore.withPhy(() -> {
            complete[0] = (status() & BMSR_AUTONEGOTIATION_COMPLETE) != 0;
            offers[0] = read(ADVERTISEMENT);
            offers[1] = read(PARTNER);
        });
        return complete[0] ? resolve(offers[0], offers[1], wanted) : wanted;
    }

    private static Pause resolve(int ours, int theirs, Pause wanted) {
        if ((ours & theirs & PAUSE) != 0) {
            return wanted.equals(Pause.BOTH) ? Pause.BOTH : Pause.RECEIVE;
        }
        if ((ours & theirs & ASYMMETRIC_PAUSE) == 0) {
            return Pause.NEITHER;
        }
        return (ours & PAUSE) != 0 ? Pause.RECEIVE : (theirs & PAUSE) != 0 ? Pause.SEND : Pause.NEITHER;
    }

    /** Sends back what is sent, from now on. The link that there was is lost. */
    void startLoopback(IgbModel model) {
        model.beforeLoopback().ifPresent(first -> semaphore.withPhy(() -> write(first.register(), first.value())));
        BoundedWait.until(() -> false, BEFORE_LOOPBACK);
        semaphore.withPhy(() -> write(BMCR, BMCR_LOOPBACK));
    }

    /** Resets the PHY, which then is as it was before it was told of loopback. */
    void endLoopback() {
        semaphore.withPhy(() -> reset(BMCR_AUTONEGOTIATION));
    }

    /** What the PHY says of the link, in words. */
    String describe() {
        int bmsr = withPhy(this::status);
        return String.format(
                "PHY BMSR=0x%04x (link %s, autonegotiation %s)",
                bmsr,
                (bmsr & BMSR_LINK) != 0 ? "up" : "down",
                (bmsr & BMSR_AUTONEGOTIATION_COMPLETE) != 0 ? "complete" : "not complete");
    }

    private int withPhy(IntSupplier access) {
        int[] result = new int[1];
        semaphore.withPhy(() -> result[0] = access.getAsInt());
        return result[0];
    }

    /** The link bit latches a failure until it is read. */
    private int status() {
        read(BMSR);
        return read(BMSR);
    }

    // ---- With the semaphore

    private void change(int register, int mask, int bits) {
        write(register, (read(register) & ~mask) | bits);
    }

    private int read(int register) {
        return transfer(READ, register, 0);
    }

    private void write(int register, int data) {
        transfer(WRITE, register, data);
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
