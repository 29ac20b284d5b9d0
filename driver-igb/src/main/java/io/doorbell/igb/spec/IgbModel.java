package io.doorbell.igb.spec;

import static io.doorbell.igb.spec.IgbModel.Medium.BACKPLANE;
import static io.doorbell.igb.spec.IgbModel.Medium.COPPER;
import static io.doorbell.igb.spec.IgbModel.Medium.FIBRE;
import static io.doorbell.igb.spec.IgbModel.Medium.SERDES;
import static io.doorbell.igb.spec.IgbModel.Medium.SGMII;

import io.doorbell.pci.PciId;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The members of the family, and where they differ. QEMU models the 82576; the others are here by their data sheets. */
public enum IgbModel {
    I82576(
            "Intel 82576",
            new Has()
                    .queues(16)
                    .vectors(25)
                    .receiveAddresses(24)
                    .queuesBesideInIvar(8)
                    .phy(PhyKind.IGP3)
                    .clock(ClockKind.COARSE)
                    .completionTimeout()
                    .etherTypeFilters(8)
                    .fiveTupleFilters(8)
                    .alternateAddresses()
                    .interruptCauses(0x77D4FBFD)
                    .tailsOfEnabledQueuesOnly(),
            Map.of(
                    0x10C9, COPPER, 0x10E6, FIBRE, 0x10E7, SERDES, 0x10E8, COPPER, 0x1526, COPPER, //
                    0x150A, COPPER, 0x1518, SERDES, 0x150D, SERDES)),
    I82580(
            "Intel 82580",
            new Has()
                    .queues(8)
                    .vectors(10)
                    .receiveAddresses(24)
                    .phy(PhyKind.I82580)
                    .clock(ClockKind.FINE)
                    .packetBuffers(36, 72, 144, 1, 2, 4, 8, 16, 35, 70, 140)
                    .etherTypeFilters(8)
                    .twoTupleFilters(8)
                    .flexibleFilters(8)
                    .nvm(Nvm.SECTION_OR_FOUR)
                    .beforeLoopback(19, 0x8041),
            Map.of(
                    0x150E, COPPER, 0x150F, FIBRE, 0x1510, SERDES, 0x1511, SGMII, 0x1516, COPPER, //
                    0x1527, FIBRE)),
    I350(
            "Intel I350",
            new Has()
                    .energyEfficient()
                    .queues(8)
                    .vectors(25)
                    .receiveAddresses(32)
                    .phy(PhyKind.I82580)
                    .clock(ClockKind.FINE)
                    .packetBuffers(36, 72, 144, 1, 2, 4, 8, 16, 35, 70, 140)
                    .etherTypeFilters(8)
                    .twoTupleFilters(8)
                    .flexibleFilters(8)
                    .nvm(Nvm.FOUR_SECTIONS)
                    .decimalVersion()
                    .beforeLoopback(19, 0x8041)
                    .ringLengthBits(0xFFF80)
                    .addressHighBits(0xC3FFFFFF)
                    .vlanTypeBits(0xFFFF0000),
            Map.of(0x1521, COPPER, 0x1522, FIBRE, 0x1523, SERDES, 0x1524, SGMII)),
    I354(
            "Intel I354",
            new Has()
                    .energyEfficient()
                    .queues(8)
                    .vectors(25)
                    .receiveAddresses(32)
                    .phy(PhyKind.M88)
                    .clock(ClockKind.FINE)
                    .packetBuffers(36, 72, 144, 1, 2, 4, 8, 16, 35, 70, 140)
                    .etherTypeFilters(8)
                    .twoTupleFilters(8)
                    .flexibleFilters(8)
                    .nvm(Nvm.FOUR_SECTIONS)
                    .withoutLoopback()
                    .ringLengthBits(0xFFF80)
                    .addressHighBits(0xC3FFFFFF)
                    .vlanTypeBits(0xFFFF0000),
            Map.of(0x1F40, BACKPLANE, 0x1F41, SGMII, 0x1F45, BACKPLANE)),
    I210(
            "Intel I210",
            new Has()
                    .energyEfficient()
                    .queues(4)
                    .vectors(5)
                    .receiveAddresses(16)
                    .phy(PhyKind.M88)
                    .clock(ClockKind.SECONDS)
                    .etherTypeFilters(4)
                    .twoTupleFilters(8)
                    .flexibleFilters(8)
                    .nvm(Nvm.FLASH_IF_ANY)
                    .decimalVersion()
                    .leds(0x0819)
                    .beforeLoopback(22, 0)
                    .invertedLossOfSignal()
                    .keepsDropsWhenRead()
                    .ringLengthBits(0xFFF80)
                    .addressHighBits(0x900FFFFF)
                    .vlanTypeBits(0),
            Map.of(0x1533, COPPER, 0x1536, FIBRE, 0x1537, SERDES, 0x1538, SGMII, 0x157B, COPPER, 0x157C, SERDES)),
    I211(
            "Intel I211",
            new Has()
                    .energyEfficient()
                    .queues(2)
                    .vectors(5)
                    .receiveAddresses(16)
                    .phy(PhyKind.M88)
                    .clock(ClockKind.SECONDS)
                    .etherTypeFilters(4)
                    .twoTupleFilters(8)
                    .flexibleFilters(8)
                    .nvm(Nvm.NONE)
                    .leds(0x0819)
                    .beforeLoopback(22, 0)
                    .invertedLossOfSignal()
                    .keepsDropsWhenRead()
                    .ringLengthBits(0xFFF80)
                    .addressHighBits(0x900FFFFF)
                    .vlanTypeBits(0),
            Map.of(0x1539, COPPER));

    /** What a port is connected by. */
    public enum Medium {
        COPPER,
        FIBRE,
        SERDES,
        SGMII,
        BACKPLANE
    }

    /** What a device reads its defaults from, and what of it is covered by checksums. */
    public enum Nvm {
        /** One section, for all ports. */
        SECTION,
        /** One section for each of four ports, or one for all: the NVM itself says which. */
        SECTION_OR_FOUR,
        /** One section for each of four ports. */
        FOUR_SECTIONS,
        /** A flash with one section, or none, in which case a few words are fused into the device (iNVM). */
        FLASH_IF_ANY,
        /** A few words that are fused into the device (iNVM), and no more. */
        NONE
    }

    /** Something that is written to a register of the PHY. */
    public record PhyWrite(int register, int value) {}

    private static final int INTEL = 0x8086;
    private static final int KIB = 1024;
    private static final int RXPBS_SIZE = 0x7f;

    private final String marketingName;

    @SuppressWarnings("ImmutableEnumChecker") // it is not changed any more
    private final Has has;

    @SuppressWarnings("ImmutableEnumChecker") // Map.of is
    private final Map<Integer, Medium> ports;

    IgbModel(String marketingName, Has has, Map<Integer, Medium> ports) {
        this.marketingName = marketingName;
        this.has = has;
        this.ports = ports;
    }

    public static Optional<IgbModel> of(PciId id) {
        return Arrays.stream(values())
                .filter(model -> id.vendor() == INTEL && model.ports.containsKey(id.device()))
                .findFirst();
    }

    /** The PCI device ids under Intel's vendor id, and what the ports with each are connected by. */
    public Map<Integer, Medium> ports() {
        return ports;
    }

    /** Queues of each direction that the device has; not how many are in use. */
    public int queues() {
        return has.queues;
    }

    /** Vectors of MSI-X, and registers that spread out the interrupts of each (EITR). */
    public int vectors() {
        return has.vectors;
    }

    /** What the ports are connected through, where they are copper. */
    public PhyKind phy() {
        return has.phy;
    }

    /** Its clock. */
    public ClockKind clock() {
        return has.clock;
    }

    /** Whether the MAC has a register by which the PHY saves power (PHPM). */
    public boolean hasPhyPowerManagement() {
        return !has.phy.equals(PhyKind.IGP3);
    }

    /**
     * Bytes that wait for the host at most, as {@code RXPBS} says: in KiB, or by a number that stands for so many
     * ({@code igb_rxpbs_adjust_82580} of Linux).
     */
    public int packetBuffer(int rxpbs) {
        int number = rxpbs & RXPBS_SIZE;
        return KIB * (has.packetBuffers.length == 0 ? number : has.packetBuffers[number % has.packetBuffers.length]);
    }

    /** Whether the device starts with a PCI Express completion time-out that is too short. */
    public boolean hasCompletionTimeout() {
        return has.completionTimeout;
    }

    /** Whether RQDPC keeps its value when it is read, unlike in the others. */
    public boolean keepsDropsWhenRead() {
        return has.keepsDropsWhenRead;
    }

    /** Whether its link can rest between frames. */
    public boolean isEnergyEfficient() {
        return has.energyEfficient;
    }

    /** Registers for exact destination addresses (RAL, RAH), the NIC's own in the first. */
    public int receiveAddresses() {
        return has.receiveAddresses;
    }

    /**
     * The register of IVAR, and the bit in it, where the vector of a receive queue goes; that of the transmit queue is 8 bits
     * further (82576 data sheet, 7.3.1.2; 82580 data sheet, 7.3.2). Each has room for two queues: in the 82576, those are
     * 8 apart, in the others neighbours.
     */
    public int ivar(int queue) {
        return has.queuesBesideInIvar == 1 ? queue / 2 : queue % has.queuesBesideInIvar;
    }

    /** See {@link #ivar}. */
    public int ivarShift(int queue) {
        return 16 * (has.queuesBesideInIvar == 1 ? queue % 2 : queue / has.queuesBesideInIvar);
    }

    /**
     * Filters by EtherType (ETQF) that choose a queue: as many as DPDK and Linux use, but for the I210 and the I211, whose data
     * sheet says 4 (7.1.2.3).
     */
    public int etherTypeFilters() {
        return has.etherTypeFilters;
    }

    /** Filters by protocol, addresses and ports (FTQF). */
    public int fiveTupleFilters() {
        return has.fiveTupleFilters;
    }

    /** Filters by protocol and destination port (TTQF). */
    public int twoTupleFilters() {
        return has.twoTupleFilters;
    }

    /** Flexible filters that choose a queue (FHFT). Those of the 82576 only wake it up. */
    public int flexibleFilters() {
        return has.flexibleFilters;
    }

    public Nvm nvm() {
        return has.nvm;
    }

    /** Whether the NVM may hold addresses that are used instead of the ports' own, by software. */
    public boolean hasAlternateAddresses() {
        return has.alternateAddresses;
    }

    /** Whether the version of the NVM's image is always in decimal digits; else only where it has a number of its own. */
    public boolean hasDecimalVersion() {
        return has.decimalVersion;
    }

    /**
     * Which LEDs tell of a port that is looked for, where the NVM does not say: four bits for each, as in the word of the NVM
     * that says it.
     */
    public int leds() {
        return has.leds;
    }

    /** Whether frames can be sent back on their way out. */
    public boolean hasLoopback() {
        return has.loopback;
    }

    /** What the PHY is to be told before it is told to send frames back. */
    public Optional<PhyWrite> beforeLoopback() {
        return Optional.ofNullable(has.beforeLoopback);
    }

    /** Whether CTRL.ILOS makes up for the PHY, which sees no link while it sends frames back. */
    public boolean invertsLossOfSignal() {
        return has.invertsLossOfSignal;
    }

    /** The causes that ICS can set. */
    public int interruptCauses() {
        return has.interruptCauses;
    }

    /** The bits of RDLEN and TDLEN that read as they were written. */
    public int ringLengthBits() {
        return has.ringLengthBits;
    }

    /** The bits of RAH that do. */
    public int addressHighBits() {
        return has.addressHighBits;
    }

    /** The bits of VET that do. */
    public int vlanTypeBits() {
        return has.vlanTypeBits;
    }

    /** Whether RDT and TDT of a queue that is not enabled do not hold what is written to them. */
    public boolean hasTailsOfEnabledQueuesOnly() {
        return has.tailsOfEnabledQueuesOnly;
    }

    @Override
    public String toString() {
        return marketingName;
    }

    /** A row of the table above, each of whose columns is named. */
    private static final class Has {
        private int queues;
        private int vectors;
        private int receiveAddresses;
        private PhyKind phy = PhyKind.IGP3;
        private ClockKind clock = ClockKind.COARSE;
        private int[] packetBuffers = {};
        private boolean completionTimeout;
        private boolean energyEfficient;
        private boolean keepsDropsWhenRead;
        private int queuesBesideInIvar = 1;
        private int etherTypeFilters;
        private int fiveTupleFilters;
        private int twoTupleFilters;
        private int flexibleFilters;
        private Nvm nvm = Nvm.SECTION;
        private boolean alternateAddresses;
        private boolean decimalVersion;
        private int leds = 0x8911;
        private boolean loopback = true;
        private @Nullable PhyWrite beforeLoopback;
        private boolean invertsLossOfSignal;
        private int interruptCauses = 0x77DCFED5;
        private int ringLengthBits = 0xFFFF0;
        private int addressHighBits = 0x83FFFFFF;
        private int vlanTypeBits = -1;
        private boolean tailsOfEnabledQueuesOnly;

        Has queues(int number) {
            queues = number;
            return this;
        }

        Has vectors(int number) {
            vectors = number;
            return this;
        }

        Has receiveAddresses(int number) {
            receiveAddresses = number;
            return this;
        }

        Has phy(PhyKind kind) {
            phy = kind;
            return this;
        }

        Has clock(ClockKind kind) {
            clock = kind;
            return this;
        }

        /** In KiB, by the number in RXPBS. */
        Has packetBuffers(int... sizes) {
            packetBuffers = sizes;
            return this;
        }

        Has keepsDropsWhenRead() {
            keepsDropsWhenRead = true;
            return this;
        }

        Has energyEfficient() {
            energyEfficient = true;
            return this;
        }

        Has completionTimeout() {
            completionTimeout = true;
            return this;
        }

        /** How far apart the two queues are that one register has the vectors of. */
        Has queuesBesideInIvar(int number) {
            queuesBesideInIvar = number;
            return this;
        }

        Has etherTypeFilters(int number) {
            etherTypeFilters = number;
            return this;
        }

        Has fiveTupleFilters(int number) {
            fiveTupleFilters = number;
            return this;
        }

        Has twoTupleFilters(int number) {
            twoTupleFilters = number;
            return this;
        }

        Has flexibleFilters(int number) {
            flexibleFilters = number;
            return this;
        }

        Has nvm(Nvm kind) {
            nvm = kind;
            return this;
        }

        Has alternateAddresses() {
            alternateAddresses = true;
            return this;
        }

        Has interruptCauses(int bits) {
            interruptCauses = bits;
            return this;
        }

        Has ringLengthBits(int bits) {
            ringLengthBits = bits;
            return this;
        }

        Has addressHighBits(int bits) {
            addressHighBits = bits;
            return this;
        }

        Has vlanTypeBits(int bits) {
            vlanTypeBits = bits;
            return this;
        }

        Has tailsOfEnabledQueuesOnly() {
            tailsOfEnabledQueuesOnly = true;
            return this;
        }

        Has leds(int settings) {
            leds = settings;
            return this;
        }

        Has withoutLoopback() {
            loopback = false;
            return this;
        }

        Has beforeLoopback(int register, int value) {
            beforeLoopback = new PhyWrite(register, value);
            return this;
        }

        Has invertedLossOfSignal() {
            invertsLossOfSignal = true;
            return this;
        }

        Has decimalVersion() {
            decimalVersion = true;
            return this;
        }
    }
}
