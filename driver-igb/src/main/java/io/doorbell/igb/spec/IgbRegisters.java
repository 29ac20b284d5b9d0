package io.doorbell.igb.spec;

import static io.doorbell.igb.spec.Field.bit;
import static io.doorbell.igb.spec.Field.bits;

import io.doorbell.igb.spec.Reg.ReadClears;
import io.doorbell.igb.spec.Reg.ReadOnly;
import io.doorbell.igb.spec.Reg.ReadWrite;
import io.doorbell.igb.spec.Reg.WriteOnly;
import java.util.ArrayList;
import java.util.List;

/**
 * The registers that this driver knows, in the order of chapter 8 of the 82576 data sheet. Start-up, statistics and the
 * register dump all read this table. The rest of the family has the same registers at the same offsets, for fewer queues, more
 * or fewer addresses and other filters ({@link IgbModel}).
 */
public final class IgbRegisters {

    private static final List<Reg> TABLE = new ArrayList<>();
    private static final List<ReadClears> COUNTERS = new ArrayList<>();

    private static final int QUEUES = 16;
    public static final int QUEUE_STRIDE = 0x40;

    // ---- 8.2 General registers

    public static final Field CTRL_FD = bit("FD", 0);
    public static final Field CTRL_GIO_MASTER_DISABLE = bit("GIO_MASTER_DISABLE", 2);
    public static final Field CTRL_SLU = bit("SLU", 6);
    public static final Field CTRL_FRCSPD = bit("FRCSPD", 11);
    public static final Field CTRL_FRCDPLX = bit("FRCDPLX", 12);
    public static final Field CTRL_SPEED = bits("SPEED", 8, 2);
    public static final Field CTRL_RST = bit("RST", 26);
    public static final Field CTRL_RFCE = bit("RFCE", 27);
    public static final Field CTRL_TFCE = bit("TFCE", 28);
    public static final Field CTRL_VME = bit("VME", 30);
    public static final ReadWrite CTRL = rw(
            "CTRL",
            0x0000,
            "8.2.1",
            CTRL_FD,
            CTRL_GIO_MASTER_DISABLE,
            CTRL_SLU,
            CTRL_SPEED,
            CTRL_FRCSPD,
            CTRL_FRCDPLX,
            CTRL_RST,
            CTRL_RFCE,
            CTRL_TFCE,
            CTRL_VME,
            bit("PHY_RST", 31));

    /** In CTRL of the I210: its PHY's signal that there is no link means that there is one. */
    public static final Field CTRL_ILOS = bit("ILOS", 7);

    public static final Field STATUS_FD = bit("FD", 0);
    public static final Field STATUS_LU = bit("LU", 1);
    public static final Field STATUS_LAN_ID = bits("LAN_ID", 2, 2);
    public static final Field STATUS_SPEED = bits("SPEED", 6, 2);
    public static final Field STATUS_GIO_MASTER_ENABLE = bit("GIO_MASTER_ENABLE", 19);
    public static final ReadOnly STATUS = ro(
            "STATUS",
            0x0008,
            "8.2.2",
            STATUS_FD,
            STATUS_LU,
            STATUS_LAN_ID,
            bit("TXOFF", 4),
            STATUS_SPEED,
            bits("ASDV", 8, 2),
            bit("PHYRA", 10),
            bits("NUM_VFS", 14, 4),
            bit("IOV_MODE", 18),
            STATUS_GIO_MASTER_ENABLE);

    public static final Field CTRL_EXT_LINK_MODE = bits("LINK_MODE", 22, 2);
    public static final Field CTRL_EXT_DRV_LOAD = bit("DRV_LOAD", 28);
    public static final ReadWrite CTRL_EXT =
            rw("CTRL_EXT", 0x0018, "8.2.3", bit("RO_DIS", 17), CTRL_EXT_LINK_MODE, CTRL_EXT_DRV_LOAD);

    public static final Field MDIC_DATA = bits("DATA", 0, 16);
    public static final Field MDIC_REGADD = bits("REGADD", 16, 5);
    public static final Field MDIC_PHYADD = bits("PHYADD", 21, 5);
    public static final Field MDIC_OP = bits("OP", 26, 2);
    public static final Field MDIC_READY = bit("R", 28);
    public static final Field MDIC_ERROR = bit("E", 30);
    public static final ReadWrite MDIC =
            rw("MDIC", 0x0020, "8.2.4", MDIC_DATA, MDIC_REGADD, MDIC_PHYADD, MDIC_OP, MDIC_READY, MDIC_ERROR);

    /** Of a PAUSE frame: its address and its type. */
    public static final ReadWrite FCAL = rw("FCAL", 0x0028, "8.2");

    public static final ReadWrite FCAH = rw("FCAH", 0x002C, "8.2");
    public static final ReadWrite FCT = rw("FCT", 0x0030, "8.2");
    public static final ReadWrite FCTTV = rw("FCTTV", 0x0170, "8.2");

    public static final Field PHPM_D0_LPLU = bit("D0LPLU", 1);
    public static final Field PHPM_GO_LINKD = bit("GO_LINKD", 5);
    /** Not in the 82576. */
    public static final ReadWrite PHPM = new ReadWrite(
            "PHPM", 0x0E14, 0, 1, "-", List.of(PHPM_D0_LPLU, PHPM_GO_LINKD)); // not listed: not in each model

    public static final Field IPCNFG_EEE_100M_AN = bit("EEE_100M_AN", 2);
    public static final Field IPCNFG_EEE_1G_AN = bit("EEE_1G_AN", 3);
    /** What of Energy Efficient Ethernet is offered. In the I350 and later. */
    public static final ReadWrite IPCNFG = new ReadWrite(
            "IPCNFG",
            0x0E38,
            0,
            1,
            "-",
            List.of(IPCNFG_EEE_100M_AN, IPCNFG_EEE_1G_AN)); // not listed: not in each model

    public static final Field EEER_TX_LPI_EN = bit("TX_LPI_EN", 16);
    public static final Field EEER_RX_LPI_EN = bit("RX_LPI_EN", 17);
    public static final Field EEER_LPI_FC = bit("LPI_FC", 18);
    public static final Field EEER_EEE_NEG = bit("EEE_NEG", 29);
    /** What of it is done. */
    public static final ReadWrite EEER = new ReadWrite(
            "EEER", 0x0E30, 0, 1, "-", List.of(EEER_TX_LPI_EN, EEER_RX_LPI_EN, EEER_LPI_FC, EEER_EEE_NEG)); // as IPCNFG

    public static final Field MANC_BLK_PHY_RST_ON_IDE = bit("BLK_PHY_RST_ON_IDE", 18);
    public static final ReadWrite MANC = rw("MANC", 0x5820, "8.21", bit("RCV_TCO_EN", 17), MANC_BLK_PHY_RST_ON_IDE);

    public static final Field GCR_CMPL_TMOUT = bits("CMPL_TMOUT", 12, 4);
    public static final Field GCR_CMPL_TMOUT_RESEND = bit("CMPL_TMOUT_RESEND", 16);
    public static final Field GCR_CAP_VER2 = bit("CAP_VER2", 18);
    /** What the device does as a member of its PCI Express bus. */
    public static final ReadWrite GCR = rw("GCR", 0x5B00, "8.6", GCR_CMPL_TMOUT, GCR_CMPL_TMOUT_RESEND, GCR_CAP_VER2);
    /** The types by which VLAN tags are known: the inner one in the lower half, the outer one in the upper. */
    public static final ReadWrite VET = rw("VET", 0x0038, "8.2", bits("VET", 0, 16), bits("VET_EXT", 16, 16));
    /** Four LEDs, a byte each: what makes it light up (MODE, bits 0 to 3), IVRT (bit 6), BLINK (bit 7). */
    public static final ReadWrite LEDCTL = rw("LEDCTL", 0x0E00, "8.2");

    // ---- 8.4 EEPROM and flash

    public static final Field EEC_EE_PRES = bit("EE_PRES", 8);
    public static final Field EEC_AUTO_RD = bit("AUTO_RD", 9);
    /** How many words there are: a power of two, counted from 64. */
    public static final Field EEC_EE_SIZE = bits("EE_SIZE", 11, 4);

    public static final ReadWrite EEC = rw("EEC", 0x0010, "8.4.1", EEC_EE_PRES, EEC_AUTO_RD, EEC_EE_SIZE);
    /** In EEC of the I210, which has other bits there than the 82576: it has a flash. */
    public static final Field EEC_FLASH_DETECTED = bit("FLASH_DETECTED", 19);

    public static final Field EERD_START = bit("START", 0);
    public static final Field EERD_DONE = bit("DONE", 1);
    public static final Field EERD_ADDR = bits("ADDR", 2, 14);
    public static final Field EERD_DATA = bits("DATA", 16, 16);
    public static final ReadWrite EERD = rw("EERD", 0x0014, "8.4.2", EERD_START, EERD_DONE, EERD_ADDR, EERD_DATA);

    // ---- 8.7 Semaphores between software and firmware

    public static final Field SWSM_SMBI = bit("SMBI", 0);
    public static final Field SWSM_SWESMBI = bit("SWESMBI", 1);
    /** Reading it takes SMBI: whoever reads 0 has the semaphore. */
    public static final ReadWrite SWSM = new ReadWrite(
            "SWSM", 0x5B50, 0, 1, "8.7", List.of(SWSM_SMBI, SWSM_SWESMBI)); // not listed: not to be dumped

    public static final ReadWrite SW_FW_SYNC =
            rw("SW_FW_SYNC", 0x5B5C, "8.7", bits("SW_SM", 0, 4), bits("FW_SM", 16, 4));

    // ---- 8.8 Interrupts

    /** In ICR, IMS and IMC: the link has come up or gone down. */
    public static final Field ICR_LSC = bit("LSC", 2);

    public static final ReadClears ICR = rc("ICR", 0x00C0, "8.8");
    public static final WriteOnly ICS = wo("ICS", 0x00C8, "8.8");
    public static final ReadWrite IMS = rw("IMS", 0x00D0, "8.8");
    public static final WriteOnly IMC = wo("IMC", 0x00D8, "8.8");
    public static final WriteOnly EICS = wo("EICS", 0x1520, "8.8");
    public static final ReadWrite EIMS = rw("EIMS", 0x1524, "8.8");
    public static final WriteOnly EIMC = wo("EIMC", 0x1528, "8.8");
    public static final ReadClears EICR = rc("EICR", 0x1580, "8.8");
    public static final Field GPIE_NSICR = bit("NSICR", 0);
    public static final Field GPIE_MULTIPLE_MSIX = bit("MULTIPLE_MSIX", 4);
    public static final Field GPIE_EIAME = bit("EIAME", 30);
    public static final Field GPIE_PBA_SUPPORT = bit("PBA_SUPPORT", 31);
    public static final ReadWrite GPIE =
            rw("GPIE", 0x1514, "8.8", GPIE_NSICR, GPIE_MULTIPLE_MSIX, GPIE_EIAME, GPIE_PBA_SUPPORT);
    public static final ReadWrite EIAC = rw("EIAC", 0x152C, "8.8");
    public static final ReadWrite EIAM = rw("EIAM", 0x1530, "8.8");
    public static final Field EITR_INTERVAL = bits("INTERVAL", 2, 13);
    /** When written: the counter goes on as it stands. */
    public static final Field EITR_CNT_INGR = bit("CNT_INGR", 31);

    /** How far apart the interrupts of a vector are, in microseconds. */
    public static final ReadWrite EITR = array("EITR", 0x1680, 4, 25, "8.8", EITR_INTERVAL, EITR_CNT_INGR);

    /** Which vector for which queue; {@link IgbModel#ivar} says where. */
    public static final ReadWrite IVAR = array("IVAR", 0x1700, 4, 8, "8.8");

    public static final Field IVAR_MISC_TCP_TIMER = bits("TCP_TIMER", 0, 8);
    /** Which vector for what ICR has. */
    public static final Field IVAR_MISC_OTHER_CAUSE = bits("OTHER_CAUSE", 8, 8);

    public static final ReadWrite IVAR_MISC =
            rw("IVAR_MISC", 0x1740, "8.8", IVAR_MISC_TCP_TIMER, IVAR_MISC_OTHER_CAUSE);

    /** In an entry of IVAR or IVAR_MISC, beside the vector: it is to be used. */
    public static final int IVAR_VALID = 0x80;

    // ---- 8.10 Receive

    public static final Field RCTL_RXEN = bit("RXEN", 1);
    public static final Field RCTL_UPE = bit("UPE", 3);
    public static final Field RCTL_MPE = bit("MPE", 4);
    public static final Field RCTL_LPE = bit("LPE", 5);
    public static final Field RCTL_LBM = bits("LBM", 6, 2);
    public static final Field RCTL_MO = bits("MO", 12, 2);
    public static final Field RCTL_BAM = bit("BAM", 15);
    public static final Field RCTL_VFE = bit("VFE", 18);
    public static final Field RCTL_SECRC = bit("SECRC", 26);
    public static final ReadWrite RCTL = rw(
            "RCTL",
            0x0100,
            "8.10.1",
            RCTL_RXEN,
            bit("SBP", 2),
            RCTL_UPE,
            RCTL_MPE,
            RCTL_LPE,
            RCTL_LBM,
            RCTL_MO,
            RCTL_BAM,
            bits("BSIZE", 16, 2),
            RCTL_VFE,
            bit("DPF", 22),
            bit("PMCF", 23),
            RCTL_SECRC);

    /** How much of the packet buffer is for frames that were received; {@link IgbModel#packetBuffer}. */
    public static final ReadWrite RXPBS = rw("RXPBS", 0x2404, "8.3", bits("SIZE", 0, 7));

    public static final Field FCRTL_XONE = bit("XONE", 31);
    /** How empty, and how full, the packet buffer is when the other end is told to go on, or to wait. */
    public static final ReadWrite FCRTL = rw("FCRTL", 0x2160, "8.10", bits("RTL", 0, 17), FCRTL_XONE);

    public static final ReadWrite FCRTH = rw("FCRTH", 0x2168, "8.10", bits("RTH", 0, 17));

    public static final Field RXCSUM_PCSD = bit("PCSD", 13);
    public static final Field RXCSUM_IPOFLD = bit("IPOFLD", 8);
    public static final Field RXCSUM_TUOFLD = bit("TUOFLD", 9);
    public static final Field RXCSUM_CRCOFL = bit("CRCOFL", 11);
    public static final ReadWrite RXCSUM =
            rw("RXCSUM", 0x5000, "8.10.21", RXCSUM_IPOFLD, RXCSUM_TUOFLD, RXCSUM_CRCOFL, RXCSUM_PCSD);
    public static final ReadWrite RLPML = rw("RLPML", 0x5004, "8.10", bits("RLPML", 0, 14));
    /** The filter of SYNQF goes before those by tuple and by bytes. */
    public static final Field RFCTL_SYNQFP = bit("SYNQFP", 19);

    public static final Field RFCTL_IPV6_EX_DIS = bit("IPV6_EX_DIS", 16);
    public static final ReadWrite RFCTL = rw("RFCTL", 0x5008, "8.10", RFCTL_IPV6_EX_DIS, RFCTL_SYNQFP);
    /** One bit for each of 4096 hashes of a multicast address. */
    public static final ReadWrite MTA = array("MTA", 0x5200, 4, 128, "8.10");

    public static final ReadWrite RAL = array("RAL", 0x5400, 8, 16, "8.10");
    public static final Field RAH_AV = bit("AV", 31);
    public static final ReadWrite RAH = array("RAH", 0x5404, 8, 16, "8.10", bits("RAH", 0, 16), RAH_AV);
    /** Those from the seventeenth on, of which there are fewer, or none, in smaller members of the family. */
    public static final ReadWrite RAL_16 = array("RAL_16", 0x54E0, 8, 16, "8.10");

    public static final ReadWrite RAH_16 = array("RAH_16", 0x54E4, 8, 16, "8.10", bits("RAH", 0, 16), RAH_AV);
    /** One bit for each VLAN. */
    public static final ReadWrite VFTA = array("VFTA", 0x5600, 4, 128, "8.10");

    public static final Field MRQC_MRQE = bits("MRQE", 0, 3);
    public static final Field MRQC_TCP4 = bit("TCP_IPV4", 16);
    public static final Field MRQC_IPV4 = bit("IPV4", 17);
    public static final Field MRQC_TCP6_EX = bit("TCP_IPV6_EX", 18);
    public static final Field MRQC_IPV6_EX = bit("IPV6_EX", 19);
    public static final Field MRQC_IPV6 = bit("IPV6", 20);
    public static final Field MRQC_TCP6 = bit("TCP_IPV6", 21);
    public static final Field MRQC_UDP4 = bit("UDP_IPV4", 22);
    public static final Field MRQC_UDP6 = bit("UDP_IPV6", 23);
    public static final Field MRQC_UDP6_EX = bit("UDP_IPV6_EX", 24);
    public static final ReadWrite MRQC = rw(
            "MRQC",
            0x5818,
            "8.10.3",
            MRQC_MRQE,
            MRQC_TCP4,
            MRQC_IPV4,
            MRQC_TCP6_EX,
            MRQC_IPV6_EX,
            MRQC_IPV6,
            MRQC_TCP6,
            MRQC_UDP4,
            MRQC_UDP6,
            MRQC_UDP6_EX);
    /** Which queue for which hash: four entries in each. */
    public static final ReadWrite RETA = array("RETA", 0x5C00, 4, 32, "8.10");
    /** The key of the hash, its first byte lowest in the first. */
    public static final ReadWrite RSSRK = array("RSSRK", 0x5C80, 4, 10, "8.10");

    public static final ReadWrite RDBAL = queue("RDBAL", 0xC000, "8.10");
    public static final ReadWrite RDBAH = queue("RDBAH", 0xC004, "8.10");
    public static final ReadWrite RDLEN = queue("RDLEN", 0xC008, "8.10");
    public static final Field SRRCTL_BSIZEPACKET = bits("BSIZEPACKET", 0, 7);
    public static final Field SRRCTL_DROP_EN = bit("DROP_EN", 31);
    public static final Field SRRCTL_DESCTYPE = bits("DESCTYPE", 25, 3);
    public static final ReadWrite SRRCTL = queue(
            "SRRCTL", 0xC00C, "8.10.2", SRRCTL_BSIZEPACKET, bits("BSIZEHEADER", 8, 6), SRRCTL_DESCTYPE, SRRCTL_DROP_EN);
    public static final ReadWrite RDH = queue("RDH", 0xC010, "8.10");
    public static final ReadWrite RDT = queue("RDT", 0xC018, "8.10");
    public static final Field RXDCTL_PTHRESH = bits("PTHRESH", 0, 5);
    public static final Field RXDCTL_HTHRESH = bits("HTHRESH", 8, 5);
    public static final Field RXDCTL_WTHRESH = bits("WTHRESH", 16, 5);
    public static final Field RXDCTL_ENABLE = bit("ENABLE", 25);
    public static final ReadWrite RXDCTL =
            queue("RXDCTL", 0xC028, "8.10", RXDCTL_PTHRESH, RXDCTL_HTHRESH, RXDCTL_WTHRESH, RXDCTL_ENABLE);
    public static final ReadClears RQDPC = counters(
            "RQDPC",
            0xC030,
            QUEUE_STRIDE,
            QUEUES,
            "8.10",
            "frames lost because this queue had no free descriptor, as far as its few bits go");

    // ---- 8.11 Filters that choose a queue: fields of several bytes are as they are on the wire, the first byte lowest

    public static final Field IMIR_PORT = bits("PORT", 0, 16);
    public static final Field IMIR_PORT_BP = bit("PORT_BP", 17);
    public static final Field IMIR_PRIORITY = bits("FILTER_PRIORITY", 29, 3);
    /** Of the filter of the same number in FTQF or TTQF: the destination port. */
    public static final ReadWrite IMIR =
            array("IMIR", 0x5A80, 4, 8, "8.11", IMIR_PORT, bit("PORT_IM_EN", 16), IMIR_PORT_BP, IMIR_PRIORITY);

    public static final Field IMIREXT_SIZE_BP = bit("SIZE_BP", 12);
    public static final Field IMIREXT_CTRL_BP = bit("CTRL_BIT_BP", 19);
    /** Of the same filter: the length, and TCP's flags. */
    public static final ReadWrite IMIREXT = array(
            "IMIREXT",
            0x5AA0,
            4,
            8,
            "8.11",
            bits("SIZE_THRESH", 0, 12),
            IMIREXT_SIZE_BP,
            bits("CTRL_BIT", 13, 6),
            IMIREXT_CTRL_BP);

    public static final ReadWrite SAQF = array("SAQF", 0x5980, 4, 8, "8.11");
    public static final ReadWrite DAQF = array("DAQF", 0x59A0, 4, 8, "8.11");
    public static final ReadWrite SPQF = array("SPQF", 0x59C0, 4, 8, "8.11", bits("SOURCE_PORT", 0, 16));
    public static final Field FTQF_PROTOCOL = bits("PROTOCOL", 0, 8);
    public static final Field FTQF_QUEUE_ENABLE = bit("QUEUE_ENABLE", 8);
    /** Matches in whichever virtual function it is. */
    public static final Field FTQF_VF_BP = bit("VF_MASK", 15);

    public static final Field FTQF_RX_QUEUE = bits("RX_QUEUE", 16, 4);
    public static final Field FTQF_1588_TIME_STAMP = bit("1588_TIME_STAMP", 27);
    /** The mask: what is set is not compared. */
    public static final Field FTQF_PROTOCOL_BP = bit("MASK_PROTOCOL", 28);

    public static final Field FTQF_SOURCE_ADDRESS_BP = bit("MASK_SOURCE_ADDRESS", 29);
    public static final Field FTQF_DESTINATION_ADDRESS_BP = bit("MASK_DESTINATION_ADDRESS", 30);
    public static final Field FTQF_SOURCE_PORT_BP = bit("MASK_SOURCE_PORT", 31);
    /** In the 82576. */
    public static final ReadWrite FTQF = array(
            "FTQF",
            0x59E0,
            4,
            8,
            "8.11",
            FTQF_PROTOCOL,
            FTQF_QUEUE_ENABLE,
            FTQF_VF_BP,
            FTQF_RX_QUEUE,
            FTQF_1588_TIME_STAMP,
            FTQF_PROTOCOL_BP,
            FTQF_SOURCE_ADDRESS_BP,
            FTQF_DESTINATION_ADDRESS_BP,
            FTQF_SOURCE_PORT_BP);

    public static final Field TTQF_PROTOCOL = bits("PROTOCOL", 0, 8);
    public static final Field TTQF_QUEUE_ENABLE = bit("QUEUE_ENABLE", 8);
    public static final Field TTQF_RX_QUEUE = bits("RX_QUEUE", 16, 3);
    public static final Field TTQF_1588_TIME_STAMP = bit("1588_TIME_STAMP", 27);
    public static final Field TTQF_PROTOCOL_BP = bit("MASK_PROTOCOL", 28);
    /** Reserved, and set by those who know: bit 15, and the rest of the mask. */
    public static final Field TTQF_RESERVED_15 = bit("RESERVED_15", 15);

    public static final Field TTQF_RESERVED_29 = bits("RESERVED_29", 29, 3);
    /** In the rest of the family, in place of {@link #FTQF}. */
    public static final ReadWrite TTQF = array(
            "TTQF",
            0x59E0,
            4,
            8,
            "8.11",
            TTQF_PROTOCOL,
            TTQF_QUEUE_ENABLE,
            TTQF_RESERVED_15,
            TTQF_RX_QUEUE,
            TTQF_1588_TIME_STAMP,
            TTQF_PROTOCOL_BP,
            TTQF_RESERVED_29);

    public static final Field SYNQF_QUEUE_ENABLE = bit("QUEUE_ENABLE", 0);
    public static final Field SYNQF_RX_QUEUE = bits("RX_QUEUE", 1, 3);
    public static final ReadWrite SYNQF = rw("SYNQF", 0x55FC, "8.11", SYNQF_QUEUE_ENABLE, SYNQF_RX_QUEUE);

    /** A number, not as on the wire. */
    public static final Field ETQF_ETYPE = bits("ETYPE", 0, 16);

    public static final Field ETQF_RX_QUEUE = bits("RX_QUEUE", 16, 4);
    public static final Field ETQF_FILTER_ENABLE = bit("FILTER_ENABLE", 26);
    public static final Field ETQF_1588_TIME_STAMP = bit("1588_TIME_STAMP", 30);
    public static final Field ETQF_QUEUE_ENABLE = bit("QUEUE_ENABLE", 31);
    public static final ReadWrite ETQF = array(
            "ETQF",
            0x5CB0,
            4,
            8,
            "8.11",
            ETQF_ETYPE,
            ETQF_RX_QUEUE,
            ETQF_FILTER_ENABLE,
            bit("IMMEDIATE_INTERRUPT", 29),
            ETQF_1588_TIME_STAMP,
            ETQF_QUEUE_ENABLE);

    // ---- 8.12 Transmit

    public static final Field TCTL_EN = bit("EN", 1);
    public static final Field TCTL_PSP = bit("PSP", 3);
    public static final Field TCTL_CT = bits("CT", 4, 8);
    public static final Field TCTL_COLD = bits("COLD", 12, 10);
    public static final Field TCTL_RTLC = bit("RTLC", 24);
    public static final ReadWrite TCTL = rw("TCTL", 0x0400, "8.12", TCTL_EN, TCTL_PSP, TCTL_CT, TCTL_COLD, TCTL_RTLC);
    public static final ReadWrite TIPG =
            rw("TIPG", 0x0410, "8.12", bits("IPGT", 0, 10), bits("IPGR1", 10, 10), bits("IPGR", 20, 10));
    /** Frames in the transmit FIFO. */
    public static final ReadOnly TDFPC = ro("TDFPC", 0x3430, "8.17");

    public static final ReadWrite TDBAL = queue("TDBAL", 0xE000, "8.12");
    public static final ReadWrite TDBAH = queue("TDBAH", 0xE004, "8.12");
    public static final ReadWrite TDLEN = queue("TDLEN", 0xE008, "8.12");
    public static final ReadWrite TDH = queue("TDH", 0xE010, "8.12");
    public static final ReadWrite TDT = queue("TDT", 0xE018, "8.12");
    public static final Field TXDCTL_PTHRESH = bits("PTHRESH", 0, 5);
    public static final Field TXDCTL_HTHRESH = bits("HTHRESH", 8, 5);
    public static final Field TXDCTL_WTHRESH = bits("WTHRESH", 16, 5);
    public static final Field TXDCTL_ENABLE = bit("ENABLE", 25);
    public static final ReadWrite TXDCTL =
            queue("TXDCTL", 0xE028, "8.12", TXDCTL_PTHRESH, TXDCTL_HTHRESH, TXDCTL_WTHRESH, TXDCTL_ENABLE);

    /** Where the rings' registers are. */
    public static final RingRegisters RINGS =
            new RingRegisters(RDBAL, RDBAH, RDLEN, SRRCTL, RDH, RDT, RXDCTL, TDBAL, TDBAH, TDLEN, TDH, TDT, TXDCTL);

    // ---- 8.16 Time synchronization

    public static final Field TSYNCRXCFG_CTRLT = bits("CTRLT", 0, 8);
    /** Which messages of PTP version 1, and of version 2, where TSYNCRXCTL.TYPE is for some of them. */
    public static final ReadWrite TSYNCRXCFG = rw("TSYNCRXCFG", 0x5F50, "8.16", TSYNCRXCFG_CTRLT, bits("MSGT", 8, 8));

    /** The clock. Of those of its registers that a model has, reading the first holds the others. */
    public static final ReadWrite SYSTIMR = rw("SYSTIMR", 0xB6F8, "8.16");

    public static final ReadWrite SYSTIML = rw("SYSTIML", 0xB600, "8.16");
    public static final ReadWrite SYSTIMH = rw("SYSTIMH", 0xB604, "8.16");
    /** By what it grows; {@link ClockKind} says how. */
    public static final ReadWrite TIMINCA = rw("TIMINCA", 0xB608, "8.16");

    public static final Field TSYNCTXCTL_TXTT = bit("TXTT", 0);
    public static final Field TSYNCTXCTL_EN = bit("EN", 4);
    public static final ReadWrite TSYNCTXCTL = rw("TSYNCTXCTL", 0xB614, "8.16", TSYNCTXCTL_TXTT, TSYNCTXCTL_EN);
    public static final ReadOnly TXSTMPL = ro("TXSTMPL", 0xB618, "8.16");
    /** Reading it makes room for another stamp. */
    public static final ReadClears TXSTMPH = rc("TXSTMPH", 0xB61C, "8.16");

    public static final Field TSYNCRXCTL_RXTT = bit("RXTT", 0);
    public static final Field TSYNCRXCTL_TYPE = bits("TYPE", 1, 3);
    public static final Field TSYNCRXCTL_EN = bit("EN", 4);
    public static final ReadWrite TSYNCRXCTL =
            rw("TSYNCRXCTL", 0xB620, "8.16", TSYNCRXCTL_RXTT, TSYNCRXCTL_TYPE, TSYNCRXCTL_EN);
    public static final ReadOnly RXSTMPL = ro("RXSTMPL", 0xB624, "8.16");
    /** Reading it makes room for another stamp; in QEMU, reading RXSATRH does. */
    public static final ReadClears RXSTMPH = rc("RXSTMPH", 0xB628, "8.16");

    public static final ReadOnly RXSATRL = ro("RXSATRL", 0xB62C, "8.16");
    public static final ReadClears RXSATRH = rc("RXSATRH", 0xB630, "8.16");

    /** Its bit 31, DISABLE_SYSTIME, is set until somebody clears it. */
    public static final ReadWrite TSAUXC = rw("TSAUXC", 0xB640, "8.16", bit("DISABLE_SYSTIME", 31));

    // ---- 8.18 Statistics: each counts from the last time that it was read

    public static final ReadClears CRCERRS = counter("CRCERRS", 0x4000, "frames with a wrong CRC");
    public static final ReadClears ALGNERRC =
            counter("ALGNERRC", 0x4004, "frames with an alignment error, at 10 or 100 Mb/s");
    public static final ReadClears SYMERRS = counter("SYMERRS", 0x4008, "symbol errors on the line");
    public static final ReadClears RXERRC = counter("RXERRC", 0x400C, "frames in which the PHY saw an error");
    public static final ReadClears MPC = counter("MPC", 0x4010, "frames lost because the device's own buffer was full");
    public static final ReadClears SCC = counter("SCC", 0x4014, "frames sent after one collision");
    public static final ReadClears ECOL = counter("ECOL", 0x4018, "frames not sent, after 16 collisions");
    public static final ReadClears MCC = counter("MCC", 0x401C, "frames sent after several collisions");
    public static final ReadClears LATECOL = counter(
            "LATECOL",
            0x4020,
            "frames not sent, because of a collision after the first 64 bytes: the two ends differ on duplex");
    public static final ReadClears COLC = counter("COLC", 0x4028, "collisions");
    public static final ReadClears DC = counter("DC", 0x4030, "frames that had to wait before they were sent");
    public static final ReadClears TNCRS = counter("TNCRS", 0x4034, "frames sent without carrier");
    public static final ReadClears RLEC = counter("RLEC", 0x4040, "frames of a wrong length");
    public static final ReadClears XONRXC = counter("XONRXC", 0x4048, "flow control: 'go on' received");
    public static final ReadClears XONTXC = counter("XONTXC", 0x404C, "flow control: 'go on' sent");
    public static final ReadClears XOFFRXC = counter("XOFFRXC", 0x4050, "flow control: 'wait' received");
    public static final ReadClears XOFFTXC = counter("XOFFTXC", 0x4054, "flow control: 'wait' sent");
    public static final ReadClears FCRUC = counter("FCRUC", 0x4058, "flow control frames of an unknown kind");
    public static final ReadClears PRC64 = counter("PRC64", 0x405C, "frames received of 64 bytes");
    public static final ReadClears PRC127 = counter("PRC127", 0x4060, "frames received of 65 to 127 bytes");
    public static final ReadClears PRC255 = counter("PRC255", 0x4064, "frames received of 128 to 255 bytes");
    public static final ReadClears PRC511 = counter("PRC511", 0x4068, "frames received of 256 to 511 bytes");
    public static final ReadClears PRC1023 = counter("PRC1023", 0x406C, "frames received of 512 to 1023 bytes");
    public static final ReadClears PRC1522 = counter("PRC1522", 0x4070, "frames received of 1024 bytes and more");
    public static final ReadClears GPRC = counter("GPRC", 0x4074, "good frames received");
    public static final ReadClears BPRC = counter("BPRC", 0x4078, "broadcast frames received");
    public static final ReadClears MPRC = counter("MPRC", 0x407C, "multicast frames received");
    public static final ReadClears GPTC = counter("GPTC", 0x4080, "good frames sent");
    public static final ReadClears GORCL =
            counter("GORCL", 0x4088, "bytes in good frames received, the check sequence among them");
    public static final ReadClears GORCH = counter("GORCH", 0x408C, "");
    public static final ReadClears GOTCL =
            counter("GOTCL", 0x4090, "bytes in good frames sent, the check sequence among them");
    public static final ReadClears GOTCH = counter("GOTCH", 0x4094, "");
    public static final ReadClears RNBC = counter(
            "RNBC",
            0x40A0,
            "frames that came while no descriptor was free; they waited in the device's buffer, and were lost only if MPC says so");
    public static final ReadClears RUC = counter("RUC", 0x40A4, "frames of less than 64 bytes");
    public static final ReadClears RFC = counter("RFC", 0x40A8, "fragments: less than 64 bytes, and a wrong CRC");
    public static final ReadClears ROC = counter("ROC", 0x40AC, "frames longer than allowed");
    public static final ReadClears RJC = counter("RJC", 0x40B0, "frames longer than allowed, with a wrong CRC");
    public static final ReadClears TORL = counter("TORL", 0x40C0, "bytes in all frames received");
    public static final ReadClears TORH = counter("TORH", 0x40C4, "");
    public static final ReadClears TOTL = counter("TOTL", 0x40C8, "bytes in all frames sent");
    public static final ReadClears TOTH = counter("TOTH", 0x40CC, "");
    public static final ReadClears TPR =
            counter("TPR", 0x40D0, "all frames received, also those that no filter let through");
    public static final ReadClears TPT = counter("TPT", 0x40D4, "all frames sent");
    public static final ReadClears PTC64 = counter("PTC64", 0x40D8, "frames sent of 64 bytes");
    public static final ReadClears PTC127 = counter("PTC127", 0x40DC, "frames sent of 65 to 127 bytes");
    public static final ReadClears PTC255 = counter("PTC255", 0x40E0, "frames sent of 128 to 255 bytes");
    public static final ReadClears PTC511 = counter("PTC511", 0x40E4, "frames sent of 256 to 511 bytes");
    public static final ReadClears PTC1023 = counter("PTC1023", 0x40E8, "frames sent of 512 to 1023 bytes");
    public static final ReadClears PTC1522 = counter("PTC1522", 0x40EC, "frames sent of 1024 bytes and more");
    public static final ReadClears MPTC = counter("MPTC", 0x40F0, "multicast frames sent");
    public static final ReadClears BPTC = counter("BPTC", 0x40F4, "broadcast frames sent");

    public static final ReadClears SEC = counter("SEC", 0x4038, "sequence errors on the line");
    public static final ReadClears MGTPRC = counter("MGTPRC", 0x40B4, "frames received for the management controller");
    public static final ReadClears MGTPDC = counter("MGTPDC", 0x40B8, "frames lost for the management controller");
    public static final ReadClears MGTPTC = counter("MGTPTC", 0x40BC, "frames sent by the management controller");
    public static final ReadClears TSCTC = counter("TSCTC", 0x40F8, "frames that the device has segmented");
    public static final ReadClears IAC = counter("IAC", 0x4100, "interrupts");
    public static final ReadClears RPTHC = counter("RPTHC", 0x4104, "frames received and passed to the host");
    public static final ReadClears HGPTC = counter("HGPTC", 0x4118, "good frames of the host that were sent");
    public static final ReadClears HGORCL = counter("HGORCL", 0x4128, "bytes in good frames received for the host");
    public static final ReadClears HGORCH = counter("HGORCH", 0x412C, "");
    public static final ReadClears HGOTCL =
            counter("HGOTCL", 0x4130, "bytes in good frames of the host that were sent");
    public static final ReadClears HGOTCH = counter("HGOTCH", 0x4134, "");
    public static final ReadClears LENERRS =
            counter("LENERRS", 0x4138, "frames whose length is not what their length field says");

    // ---- 8.21 of the I210 data sheet: wake-up, whose flexible filters choose a queue as well, but in the 82576

    /** The flexible filters are for queues. */
    public static final Field WUFC_FLEX_HQ = bit("FLEX_HQ", 14);

    /** Which of them are on. */
    public static final Field WUFC_FLX = bits("FLX", 16, 8);

    public static final ReadWrite WUFC = rw("WUFC", 0x5808, "8.21", WUFC_FLEX_HQ, WUFC_FLX);

    /** Words in the table of each flexible filter. */
    public static final int FHFT_WORDS = 64;

    /** In the last word of a table. */
    public static final Field FHFT_LENGTH = bits("LENGTH", 0, 8);

    public static final Field FHFT_RQUEUE = bits("RQUEUE", 8, 3);
    public static final Field FHFT_PRIORITY = bits("FLEX_PRIO", 16, 3);
    /** The tables of the first four filters. */
    public static final ReadWrite FHFT = table("FHFT", 0x9000);

    /** Those of the other four. */
    public static final ReadWrite FHFT_EXT = table("FHFT_EXT", 0x9A00);

    private IgbRegisters() {}

    /** All of them, in the data sheet's order. */
    public static List<Reg> all() {
        return List.copyOf(TABLE);
    }

    /** How many of an array a model has. */
    public static int count(Reg reg, IgbModel model) {
        if (reg.stride() == QUEUE_STRIDE) {
            return model.queues();
        }
        if (reg.equals(EITR)) {
            return model.vectors();
        }
        if (reg.equals(SYSTIMR) || reg.equals(TSAUXC)) {
            return model.clock().canBeSwitchedOff() ? 1 : 0;
        }
        if (reg.equals(SAQF) || reg.equals(DAQF) || reg.equals(SPQF) || reg.equals(FTQF)) {
            return model.fiveTupleFilters();
        }
        if (reg.equals(TTQF)) {
            return model.twoTupleFilters();
        }
        if (reg.equals(ETQF)) {
            return model.etherTypeFilters();
        }
        return reg.equals(RAL_16) || reg.equals(RAH_16) ? model.receiveAddresses() - RAL.count() : reg.count();
    }

    /** The statistics registers among them, low halves before high halves. */
    public static List<ReadClears> counters() {
        return List.copyOf(COUNTERS);
    }

    private static ReadWrite rw(String name, int offset, String section, Field... fields) {
        return array(name, offset, 0, 1, section, fields);
    }

    private static ReadWrite queue(String name, int offset, String section, Field... fields) {
        return array(name, offset, QUEUE_STRIDE, QUEUES, section, fields);
    }

    private static ReadWrite array(String name, int offset, int stride, int count, String section, Field... fields) {
        return listed(new ReadWrite(name, offset, stride, count, section, List.of(fields)));
    }

    private static ReadOnly ro(String name, int offset, String section, Field... fields) {
        return listed(new ReadOnly(name, offset, 0, 1, section, List.of(fields)));
    }

    private static WriteOnly wo(String name, int offset, String section) {
        return listed(new WriteOnly(name, offset, 0, 1, section, List.of()));
    }

    private static ReadClears rc(String name, int offset, String section) {
        return listed(new ReadClears(name, offset, 0, 1, section, List.of(), ""));
    }

    private static ReadClears counter(String name, int offset, String meaning) {
        return counters(name, offset, 0, 1, "8.18", meaning);
    }

    private static ReadClears counters(String name, int offset, int stride, int count, String section, String meaning) {
        ReadClears counter = listed(new ReadClears(name, offset, stride, count, section, List.of(), meaning));
        COUNTERS.add(counter);
        return counter;
    }

    /** Of four filters; not listed, since the device drops the frames that come while one is read. */
    private static ReadWrite table(String name, int offset) {
        return new ReadWrite(name, offset, 4, 4 * FHFT_WORDS, "8.21", List.of());
    }

    private static <R extends Reg> R listed(R reg) {
        TABLE.add(reg);
        return reg;
    }
}
