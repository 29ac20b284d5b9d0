package io.doorbell.igb.vf;

import static io.doorbell.igb.spec.Field.bit;
import static io.doorbell.igb.spec.Field.bits;

import io.doorbell.igb.spec.Field;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.Reg;
import io.doorbell.igb.spec.Reg.ReadClears;
import io.doorbell.igb.spec.Reg.ReadOnly;
import io.doorbell.igb.spec.Reg.ReadWrite;
import io.doorbell.igb.spec.Reg.WriteOnly;
import io.doorbell.igb.spec.RingRegisters;
import java.util.ArrayList;
import java.util.List;

/**
 * The registers of a virtual function that this driver knows: few, each at the offset where the port has its own. The sections
 * are those of the 82576 data sheet; the I350 has the same.
 */
final class VfRegisters {

    private static final List<Reg> TABLE = new ArrayList<>();
    private static final List<ReadOnly> COUNTERS = new ArrayList<>();

    private static final int MOST_QUEUES = 2;
    private static final int QUEUE_STRIDE = 0x100;
    private static final int VECTORS = 3;

    // ---- General registers

    public static final ReadWrite CTRL =
            listed(new ReadWrite("CTRL", 0x0000, 0, 1, "8.26", List.of(IgbRegisters.CTRL_RST)));

    /** The port's, as it is. */
    public static final ReadOnly STATUS = listed(new ReadOnly(
            "STATUS",
            0x0008,
            0,
            1,
            "8.26",
            List.of(IgbRegisters.STATUS_FD, IgbRegisters.STATUS_LU, IgbRegisters.STATUS_SPEED)));

    // ---- The mailbox to the port's driver

    /** Written: there is a message for the port in VMBMEM. */
    public static final Field V2PMAILBOX_REQ = bit("REQ", 0);
    /** Written: the port's message has been read. */
    public static final Field V2PMAILBOX_ACK = bit("ACK", 1);
    /** The virtual function has the buffer to itself; it stays clear while the port has. */
    public static final Field V2PMAILBOX_VFU = bit("VFU", 2);

    public static final Field V2PMAILBOX_PFU = bit("PFU", 3);
    /** There is a message from the port. Reading clears it. */
    public static final Field V2PMAILBOX_PFSTS = bit("PFSTS", 4);
    /** The port has read our message. Reading clears it. */
    public static final Field V2PMAILBOX_PFACK = bit("PFACK", 5);
    /** The port is being reset, or has not been started yet. */
    public static final Field V2PMAILBOX_RSTI = bit("RSTI", 6);
    /** The port has been reset. Reading clears it. */
    public static final Field V2PMAILBOX_RSTD = bit("RSTD", 7);

    public static final ReadWrite V2PMAILBOX = new ReadWrite(
            "V2PMAILBOX",
            0x0C40,
            0,
            1,
            "8.14",
            List.of(
                    V2PMAILBOX_REQ,
                    V2PMAILBOX_ACK,
                    V2PMAILBOX_VFU,
                    V2PMAILBOX_PFU,
                    V2PMAILBOX_PFSTS,
                    V2PMAILBOX_PFACK,
                    V2PMAILBOX_RSTI,
                    V2PMAILBOX_RSTD)); // not listed: a dump would take what reading clears

    public static final ReadWrite VMBMEM = array("VMBMEM", 0x0800, 4, 16, "8.14");

    // ---- Interrupts

    public static final WriteOnly EICS = listed(new WriteOnly("EICS", 0x1520, 0, 1, "8.26", List.of()));
    public static final ReadWrite EIMS = array("EIMS", 0x1524, 0, 1, "8.26");
    public static final WriteOnly EIMC = listed(new WriteOnly("EIMC", 0x1528, 0, 1, "8.26", List.of()));
    public static final ReadWrite EIAC = array("EIAC", 0x152C, 0, 1, "8.26");
    public static final ReadWrite EIAM = array("EIAM", 0x1530, 0, 1, "8.26");
    public static final ReadClears EICR = listed(new ReadClears("EICR", 0x1580, 0, 1, "8.26", List.of(), ""));
    public static final ReadWrite EITR = array("EITR", 0x1680, 4, VECTORS, "8.26");
    /** Which vector for which queue. */
    public static final Field IVAR0_RX0 = bits("RX0", 0, 8);

    public static final ReadWrite IVAR0 =
            array("IVAR0", 0x1700, 0, 1, "8.26", IVAR0_RX0, bits("TX0", 8, 8), bits("RX1", 16, 8), bits("TX1", 24, 8));
    /** Which vector for the mailbox. */
    public static final Field IVAR_MISC_MAILBOX = bits("MAILBOX", 0, 8);

    public static final ReadWrite IVAR_MISC = array("IVAR_MISC", 0x1740, 0, 1, "8.26", IVAR_MISC_MAILBOX);

    // ---- Receive and transmit

    public static final ReadWrite PSRTYPE = array("PSRTYPE", 0x0F0C, 0, 1, "8.26");
    public static final ReadWrite RDBAL = queue("RDBAL", 0x2800, IgbRegisters.RDBAL);
    public static final ReadWrite RDBAH = queue("RDBAH", 0x2804, IgbRegisters.RDBAH);
    public static final ReadWrite RDLEN = queue("RDLEN", 0x2808, IgbRegisters.RDLEN);
    public static final ReadWrite SRRCTL = queue("SRRCTL", 0x280C, IgbRegisters.SRRCTL);
    public static final ReadWrite RDH = queue("RDH", 0x2810, IgbRegisters.RDH);
    public static final ReadWrite RDT = queue("RDT", 0x2818, IgbRegisters.RDT);
    public static final ReadWrite RXDCTL = queue("RXDCTL", 0x2828, IgbRegisters.RXDCTL);
    public static final ReadWrite TDBAL = queue("TDBAL", 0x3800, IgbRegisters.TDBAL);
    public static final ReadWrite TDBAH = queue("TDBAH", 0x3804, IgbRegisters.TDBAH);
    public static final ReadWrite TDLEN = queue("TDLEN", 0x3808, IgbRegisters.TDLEN);
    public static final ReadWrite TDH = queue("TDH", 0x3810, IgbRegisters.TDH);
    public static final ReadWrite TDT = queue("TDT", 0x3818, IgbRegisters.TDT);
    public static final ReadWrite TXDCTL = queue("TXDCTL", 0x3828, IgbRegisters.TXDCTL);

    /** Where the rings' registers are. */
    public static final RingRegisters RINGS =
            new RingRegisters(RDBAL, RDBAH, RDLEN, SRRCTL, RDH, RDT, RXDCTL, TDBAL, TDBAH, TDLEN, TDH, TDT, TXDCTL);

    // ---- Statistics: reading does not clear them; beyond 32 bits they start from 0 again

    public static final ReadOnly VFGPRC = counter("VFGPRC", 0x0F10);
    public static final ReadOnly VFGPTC = counter("VFGPTC", 0x0F14);
    public static final ReadOnly VFGORC = counter("VFGORC", 0x0F18);
    public static final ReadOnly VFGOTC = counter("VFGOTC", 0x0F34);
    public static final ReadOnly VFMPRC = counter("VFMPRC", 0x0F3C);
    /** The ones in LBC count what came from, or went to, another function of the same port. */
    public static final ReadOnly VFGPRLBC = counter("VFGPRLBC", 0x0F40);

    public static final ReadOnly VFGPTLBC = counter("VFGPTLBC", 0x0F44);
    public static final ReadOnly VFGORLBC = counter("VFGORLBC", 0x0F48);
    public static final ReadOnly VFGOTLBC = counter("VFGOTLBC", 0x0F50);

    private VfRegisters() {}

    /** All of them but the mailbox's own, which a read changes. */
    public static List<Reg> all() {
        return List.copyOf(TABLE);
    }

    /** How many of an array a model has. */
    static int count(Reg reg, VfModel model) {
        return reg.stride() == QUEUE_STRIDE ? model.queues() : reg.count();
    }

    /** The statistics registers among them. */
    public static List<ReadOnly> counters() {
        return List.copyOf(COUNTERS);
    }

    private static ReadWrite array(String name, int offset, int stride, int count, String section, Field... fields) {
        return listed(new ReadWrite(name, offset, stride, count, section, List.of(fields)));
    }

    /** @param ports the port's, which has the same fields and is described in the same section */
    private static ReadWrite queue(String name, int offset, ReadWrite ports) {
        return listed(new ReadWrite(name, offset, QUEUE_STRIDE, MOST_QUEUES, ports.section(), ports.fields()));
    }

    private static ReadOnly counter(String name, int offset) {
        ReadOnly counter = listed(new ReadOnly(name, offset, 0, 1, "8.26", List.of()));
        COUNTERS.add(counter);
        return counter;
    }

    private static <R extends Reg> R listed(R reg) {
        TABLE.add(reg);
        return reg;
    }
}
