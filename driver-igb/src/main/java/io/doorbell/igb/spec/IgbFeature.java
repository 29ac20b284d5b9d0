package io.doorbell.igb.spec;

import static io.doorbell.frame.DriverFeature.Evidence.BY_TABLE;
import static io.doorbell.frame.DriverFeature.Evidence.PROVED;
import static io.doorbell.igb.spec.IgbModel.I210;
import static io.doorbell.igb.spec.IgbModel.I211;
import static io.doorbell.igb.spec.IgbModel.I350;
import static io.doorbell.igb.spec.IgbModel.I354;
import static io.doorbell.igb.spec.IgbModel.I82576;
import static io.doorbell.igb.spec.IgbModel.I82580;

import io.doorbell.frame.DriverFeature;
import io.doorbell.frame.DriverFeature.Evidence;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the driver does, and with which model it is known to work. QEMU models the 82576, so that anything can be proved with that
 * one only. The README has a row for each, with the test that shows it.
 */
public enum IgbFeature {
    QUEUES("as many queues as the model has, a thread each", PROVED),
    RSS("RSS with a key and a table of your own, and the hash with the frame", PROVED),
    QUEUE_RESET("a queue set up anew while the others go on", PROVED),
    WAITING("sleep on queues and on the link, by MSI-X", PROVED),
    MODERATION("interrupts spread out (EITR)", BY_TABLE),
    CHECKSUMS("checksums of IPv4, TCP and UDP, both ways", PROVED),
    SCTP("checksums of SCTP, both ways", PROVED),
    SEGMENTATION("TCP segmentation over IPv4 and IPv6", PROVED),
    VLAN_TAGS("VLAN tags stripped and inserted", PROVED),
    JUMBO("frames of up to 9724 bytes, in one buffer or in several", PROVED),
    ADDRESSES("filter by exact addresses, by hashed multicast addresses, or none", PROVED),
    VLANS("filter by VLAN", PROVED),
    ETHERTYPE_RULES("rules for queues: by EtherType", BY_TABLE),
    FIVE_TUPLE_RULES("by addresses, ports and protocol (5-tuple)", BY_TABLE, I82580, I350, I354, I210, I211),
    TWO_TUPLE_RULES("by destination port and protocol (2-tuple)", BY_TABLE, I82576),
    SYN_RULES("of TCP's SYN", BY_TABLE),
    FLEXIBLE_RULES("by any of the first 128 bytes", BY_TABLE, I82576),
    NEGOTIATION("the modes of the link: forced, and what the other end offers", PROVED),
    OFFERS("the modes of the link that are offered", BY_TABLE),
    CROSSOVER("crossed pairs, power saving off", BY_TABLE),
    DOWNSHIFT("downshift on poor cables, carrier sense on transmit", BY_TABLE, I82576),
    ENERGY("Energy Efficient Ethernet, off unless asked for", BY_TABLE, I82576, I82580),
    FLOW_CONTROL("flow control by PAUSE, settled when the link is up", BY_TABLE),
    MANAGEMENT("a link that a management controller uses is left alone", BY_TABLE),
    LOST_LINK("frames behind a lost link are dropped and counted", BY_TABLE),
    BUS("PCI Express completion time-out", BY_TABLE, I82580, I350, I354, I210, I211),
    CLOCK("a PTP clock: set, stepped, faster or slower", PROVED),
    STAMPS("time stamps of PTP over Ethernet, received and sent", PROVED),
    UDP_STAMPS("time stamps of PTP in UDP, received", BY_TABLE),
    COUNTERS("every counter in 64 bits, with its meaning, and those of each queue", PROVED),
    LOSSES("a verdict on lost frames", BY_TABLE),
    REMOVAL("unplugged or unbound in mid-traffic: a NicRemovedException, all released", PROVED),
    RECOVERY("Nic.reset after DMA to unmapped addresses, or a function level reset that it was not told of", PROVED),
    TAKE_OVER("a card whose last driver was killed", PROVED),
    SELF_TEST("the tests of ethtool -t: registers, NVM, interrupts, loopback, link", PROVED),
    ALTERNATE_ADDRESS(
            "another address from the NVM, which others' firmware sees to", BY_TABLE, I82580, I350, I354, I210, I211),
    NVM("the NVM read, verified and decoded", PROVED),
    LED("a port that blinks", BY_TABLE),
    LOOPBACK("frames sent back by the MAC, or by the PHY", PROVED),
    PORT_RESET("the reset of its port, which the kernel drives, noticed and got over", null);

    private final String title;
    private final @Nullable Evidence with82576;

    @SuppressWarnings("ImmutableEnumChecker") // List.of is
    private final List<IgbModel> without;

    IgbFeature(String title, @Nullable Evidence with82576, IgbModel... without) {
        this.title = title;
        this.with82576 = with82576;
        this.without = List.of(without);
    }

    /** In a few words. */
    public String title() {
        return title;
    }

    /** How far it is known to work with a model; empty where the model has it not. */
    public Optional<Evidence> evidence(IgbModel model) {
        if (with82576 == null || without.contains(model)) {
            return Optional.empty();
        }
        return Optional.of(model.equals(I82576) ? with82576 : BY_TABLE);
    }

    /** How far it is known to work with a virtual function of the 82576; empty where such a one has it not. */
    public Optional<Evidence> evidenceOfVirtualFunction() {
        return Optional.ofNullable(
                switch (this) {
                    case WAITING, ADDRESSES, VLANS, VLAN_TAGS, PORT_RESET -> PROVED;
                    case CHECKSUMS, SEGMENTATION, JUMBO, COUNTERS, REMOVAL -> BY_TABLE;
                    default -> null;
                });
    }

    /** All that a virtual function has; of the I350, nothing is proved. */
    public static List<DriverFeature> ofVirtualFunction(boolean modelled) {
        List<DriverFeature> features = new ArrayList<>();
        for (IgbFeature feature : values()) {
            feature.evidenceOfVirtualFunction()
                    .ifPresent(
                            evidence -> features.add(new DriverFeature(feature.title, modelled ? evidence : BY_TABLE)));
        }
        return List.copyOf(features);
    }

    /** All that a model has. */
    public static List<DriverFeature> of(IgbModel model) {
        List<DriverFeature> features = new ArrayList<>();
        for (IgbFeature feature : values()) {
            feature.evidence(model).ifPresent(evidence -> features.add(new DriverFeature(feature.title, evidence)));
        }
        return List.copyOf(features);
    }
}
