package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Ability;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import java.util.Collection;
import java.util.Set;

/**
 * Which frames a NIC receives, by their destination: at first those for its own address and broadcasts. A NIC that is
 * {@link Nic#promiscuous} receives all.
 *
 * <p>Each call throws a {@link DoorbellException} when the device can do other parts of this and not that one.
 */
public interface MacFilter extends Ability {

    /** Gives the NIC another address of its own, until it is closed: a unicast one. */
    void macAddress(MacAddress address);

    /**
     * Receives the frames for these addresses too, unicast and multicast ones. They replace those of an earlier call.
     *
     * @throws DoorbellException also when the device cannot filter by so many
     */
    void addresses(Collection<MacAddress> others);

    /** Whether to receive the frames of all multicast groups. */
    void allMulticast(boolean on);

    /** Whether to receive the frames for all unicast addresses, of multicast groups no more than before. */
    void allUnicast(boolean on);

    /**
     * Drops frames for these kinds of destinations, even if they are for the NIC's own address or one that is filtered by;
     * those of other kinds are received as ever. Replaces what an earlier call said.
     */
    void drop(Set<Destination> kinds);
}
