package io.doorbell.igb.vf;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.Destination;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which frames the port passes on to this virtual function. What is wanted is kept here, because the port forgets it at each
 * reset; {@link #apply} asks for all of it. The port may refuse: then what was wanted before stands.
 */
final class VfFilter {

    private final String name;
    private final PortRequests port;
    private final Set<Integer> vlans;
    private volatile MacAddress own;
    /** The application has chosen the address: not the port, and not chance. */
    private boolean chosen;

    private Modes modes;
    private List<MacAddress> stations = List.of();
    private List<MacAddress> groups = List.of();

    /** What is received whatever filters say. */
    private record Modes(boolean promiscuous, boolean allUnicast, boolean allMulticast) {
        boolean unicast() {
            return promiscuous || allUnicast;
        }

        boolean multicast() {
            return promiscuous || allMulticast;
        }
    }

    /**
     * @param granted the station address that the port has for this function; one is drawn where it has none
     * @param vlans whose frames to receive, beside those without a tag
     */
    VfFilter(String name, PortRequests port, Optional<MacAddress> granted, boolean promiscuous, Set<Integer> vlans) {
        this.name = name;
        this.port = port;
        this.own = granted.orElseGet(MacAddress::randomLocal);
        this.modes = new Modes(promiscuous, false, false);
        this.vlans = vlans;
    }

    MacAddress own() {
        return own;
    }

    /**
     * Asks the port for all that is wanted, when this function has just been made known to it.
     *
     * @param granted the station address that the port has for it
     */
    void apply(Optional<MacAddress> granted) {
        if (!chosen && granted.isPresent()) {
            own = granted.get(); // the administrator's, which may be another than before
        }
        if (!granted.equals(Optional.of(own))) {
            askForOwn(own);
        }
        for (int vlan : vlans) {
            require(
                    port.vlan(vlan),
                    "VLAN " + vlan,
                    "its administrator has put it into another VLAN ('ip link set dev PORT vf N vlan 0' takes it out), or"
                            + " the port has no filter left");
        }
        if (!stations.isEmpty()) {
            askForStations(stations);
        }
        if (!groups.isEmpty()) {
            askForGroups(groups);
        }
        if (modes.unicast() || modes.multicast()) {
            askForModes(modes);
        }
    }

    // ---- Changes: what is wanted, and whether the port is to be asked right now

    void own(MacAddress address, boolean now) {
        if (!address.isUnicast()) {
            throw new DoorbellException(name + ": cannot answer to " + address
                    + ": a NIC's own address is neither a multicast group's nor all zeros");
        }
        if (now) {
            askForOwn(address);
        }
        own = address;
        chosen = true;
    }

    void others(Collection<MacAddress> addresses, boolean now) {
        List<MacAddress> multicast =
                addresses.stream().filter(MacAddress::isMulticast).toList();
        List<MacAddress> unicast =
                addresses.stream().filter(address -> !address.isMulticast()).toList();
        if (multicast.size() > PortRequests.MOST_GROUPS) {
            throw new DoorbellException(name + ": a virtual function can ask its port for " + PortRequests.MOST_GROUPS
                    + " multicast groups, not for " + multicast.size() + ": use MacFilter.allMulticast instead");
        }
        if (now && !(unicast.isEmpty() && stations.isEmpty())) {
            askForStations(unicast, stations);
        }
        stations = unicast;
        if (now && !(multicast.isEmpty() && groups.isEmpty())) {
            askForGroups(multicast);
        }
        groups = multicast;
    }

    void promiscuous(boolean on, boolean now) {
        change(new Modes(on, modes.allUnicast, modes.allMulticast), now);
    }

    void allUnicast(boolean on, boolean now) {
        change(new Modes(modes.promiscuous, on, modes.allMulticast), now);
    }

    void allMulticast(boolean on, boolean now) {
        change(new Modes(modes.promiscuous, modes.allUnicast, on), now);
    }

    private void change(Modes wanted, boolean now) {
        if (now && !wanted.equals(modes)) {
            askForModes(wanted, modes);
        }
        modes = wanted;
    }

    void drop(Set<Destination> kinds) {
        if (!kinds.isEmpty()) {
            throw new DoorbellException(
                    name + ": a virtual function cannot have its port drop " + kinds + ": drop them yourself");
        }
    }

    // ---- Requests

    private void askForOwn(MacAddress address) {
        require(
                port.own(address),
                "the address " + address,
                "its administrator has given it another, which it may not change unless 'ip link set dev PORT vf N trust on'"
                        + " allows it");
    }

    private void askForStations(List<MacAddress> wanted, List<MacAddress> instead) {
        askFor(() -> askForStations(wanted), () -> askForStations(instead));
    }

    private static void askFor(Runnable wanted, Runnable instead) {
        try {
            wanted.run();
        } catch (DoorbellException refused) {
            Cleanup.after(refused, instead);
            throw refused;
        }
    }

    private void askForStations(List<MacAddress> wanted) {
        String why =
                "it has no filter left, or its administrator has given this function an address, which it may not add to"
                        + " unless 'ip link set dev PORT vf N trust on' allows it";
        require(port.clear(own), "a list of addresses", why);
        for (MacAddress address : wanted) {
            require(port.add(address), "frames for " + address, why);
        }
    }

    private void askForGroups(List<MacAddress> wanted) {
        require(port.groups(wanted), wanted.size() + " multicast groups", "its driver has no such filter");
    }

    /** A port that refuses has all the same done a part: Linux's driver has turned all multicasts on, and groups off. */
    private void askForModes(Modes wanted, Modes instead) {
        askFor(() -> askForModes(wanted), () -> askForModes(instead));
    }

    private void askForModes(Modes wanted) {
        require(
                port.promiscuous(wanted.unicast(), wanted.multicast()),
                wanted.unicast()
                        ? "the frames for all unicast addresses"
                        : wanted.multicast() ? "the frames of all multicast groups" : "fewer frames",
                wanted.unicast()
                        ? "Linux's driver lets no virtual function have those: name the addresses with"
                                + " MacFilter.addresses, or take the whole port"
                        : "its driver does not let virtual functions have those");
    }

    private void require(boolean granted, String what, String why) {
        if (!granted) {
            throw new DoorbellException("the port of " + name + " refuses " + what + ": " + why);
        }
    }
}
