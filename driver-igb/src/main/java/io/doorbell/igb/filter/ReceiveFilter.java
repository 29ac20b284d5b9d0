package io.doorbell.igb.filter;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.Destination;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which frames the device passes on (82576 data sheet, 7.1.1). What is wanted is kept here, because a reset clears the
 * device's tables; {@link #apply} writes them.
 *
 * <p>Addresses are matched exactly, as long as there are registers for them: unicast ones first. Multicast addresses beyond
 * that are looked up by a hash of 12 bits, which lets others with the same hash in.
 */
public final class ReceiveFilter {

    /** Of the first array of address registers; the others are elsewhere. */
    private static final int LOW_ADDRESSES = RAL.count();

    private static final int BITS = 32;

    private final String name;
    private final RegisterFile registers;
    private final int exact;
    private final Set<Integer> vlans;
    private volatile MacAddress own;
    private boolean promiscuous;
    private boolean allMulticast;
    private boolean allUnicast;
    private Set<Destination> dropped = Set.of();
    private List<MacAddress> unicast = List.of();
    private List<MacAddress> multicast = List.of();

    /**
     * @param own the station address
     * @param vlans the only ones whose frames to receive, beside frames without a tag; all if there is none
     */
    public ReceiveFilter(
            RegisterFile registers, IgbModel model, MacAddress own, boolean promiscuous, Set<Integer> vlans) {
        this.name = registers.nic();
        this.registers = registers;
        this.exact = model.receiveAddresses();
        this.own = own;
        this.promiscuous = promiscuous;
        this.vlans = vlans;
    }

    public MacAddress own() {
        return own;
    }

    public void own(MacAddress address) {
        if (!address.isUnicast()) {
            throw new DoorbellException(name + ": cannot answer to " + address
                    + ": a NIC's own address is neither a multicast group's nor all zeros");
        }
        own = address;
    }

    public void promiscuous(boolean on) {
        promiscuous = on;
    }

    public void allUnicast(boolean on) {
        allUnicast = on;
    }

    public void allMulticast(boolean on) {
        requireBroadcastsIn(on, dropped);
        allMulticast = on;
    }

    public void drop(Set<Destination> kinds) {
        Set<Destination> copy = Set.copyOf(kinds);
        requireBroadcastsIn(allMulticast, copy);
        dropped = copy;
    }

    /** RCTL.MPE takes broadcasts for multicasts, as their addresses are. */
    private void requireBroadcastsIn(boolean all, Set<Destination> drop) {
        if (all && drop.contains(Destination.BROADCAST) && !drop.contains(Destination.MULTICAST)) {
            throw new DoorbellException(name + ": the device cannot receive all multicast frames and drop broadcasts:"
                    + " drop them yourself, or receive the groups that you name");
        }
    }

    public void others(Collection<MacAddress> addresses) {
        List<MacAddress> groups = new ArrayList<>();
        List<MacAddress> stations = new ArrayList<>();
        for (MacAddress address : addresses) {
            (address.isMulticast() ? groups : stations).add(address);
        }
        if (stations.size() > exact - 1) {
            throw new DoorbellException(name + ": the device has registers for " + exact
                    + " addresses, one of which is its" + " own, and cannot receive for " + stations.size()
                    + " others: use allUnicast or promiscuous instead");
        }
        unicast = List.copyOf(stations);
        multicast = List.copyOf(groups);
    }

    /** Writes all tables, and the bits of RCTL that turn them on. */
    public void apply() {
        List<MacAddress> exactly = new ArrayList<>();
        int[] hashes = new int[MTA.count()];
        if (!dropped.contains(Destination.UNICAST)) {
            exactly.add(own);
            exactly.addAll(unicast);
        }
        if (!dropped.contains(Destination.MULTICAST)) {
            for (MacAddress group : multicast) {
                if (exactly.size() < exact) {
                    exactly.add(group);
                } else {
                    int hash = hash(group);
                    hashes[hash / BITS] |= 1 << hash % BITS;
                }
            }
        }
        for (int i = 0; i < exact; i++) {
            writeAddress(i, i < exactly.size() ? exactly.get(i) : null);
        }
        for (int i = 0; i < hashes.length; i++) {
            registers.write(MTA, i, hashes[i]);
        }
        applyVlans();
        applyModes();
    }

    private void applyVlans() {
        int[] table = new int[VFTA.count()];
        for (int vlan : vlans) {
            table[vlan / BITS] |= 1 << vlan % BITS;
        }
        for (int i = 0; i < table.length; i++) {
            registers.write(VFTA, i, table[i]);
        }
    }

    /** The filters' part of RCTL (8.10.1). */
    private void applyModes() {
        Set<Destination> all = EnumSet.noneOf(Destination.class);
        if (promiscuous || (allUnicast && !dropped.contains(Destination.UNICAST))) {
            all.add(Destination.UNICAST);
        }
        if (promiscuous || (allMulticast && !dropped.contains(Destination.MULTICAST))) {
            all.add(Destination.MULTICAST);
        }
        int on = (all.contains(Destination.UNICAST) ? RCTL_UPE.mask() : 0)
                | (all.contains(Destination.MULTICAST) ? RCTL_MPE.mask() : 0)
                | (dropped.contains(Destination.BROADCAST) ? 0 : RCTL_BAM.mask())
                | (vlans.isEmpty() || promiscuous ? 0 : RCTL_VFE.mask());
        int ours = RCTL_UPE.mask() | RCTL_MPE.mask() | RCTL_BAM.mask() | RCTL_VFE.mask() | RCTL_MO.mask();
        registers.write(RCTL, (registers.read(RCTL) & ~ours) | on);
    }

    /** Not valid while it is half written, since that would be somebody else's (8.10). */
    private void writeAddress(int index, @Nullable MacAddress address) {
        boolean low = index < LOW_ADDRESSES;
        int i = low ? index : index - LOW_ADDRESSES;
        registers.write(low ? RAH : RAH_16, i, 0);
        if (address != null) {
            long wire = Long.reverseBytes(address.value()) >>> 16;
            registers.write(low ? RAL : RAL_16, i, (int) wire);
            registers.write(low ? RAH : RAH_16, i, (int) (wire >>> 32) | RAH_AV.mask());
        }
    }

    /** Bits 47 to 36 of the address, the last byte on the wire being the most significant (RCTL.MO is 0). */
    private static int hash(MacAddress address) {
        return address.octet(5) << 4 | address.octet(4) >>> 4;
    }
}
