package io.doorbell.igb.vf;

import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.Destination;
import io.doorbell.frame.ability.MacFilter;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The filter of an open virtual function.
 *
 * @param nic changes it under the NIC's lock, and says whether the port is to be asked right now
 */
record VfMacFilter(Consumer<BiConsumer<VfFilter, Boolean>> nic) implements MacFilter {

    @Override
    public void macAddress(MacAddress address) {
        nic.accept((filter, now) -> filter.own(address, now));
    }

    @Override
    public void addresses(Collection<MacAddress> others) {
        List<MacAddress> copy = List.copyOf(others);
        nic.accept((filter, now) -> filter.others(copy, now));
    }

    @Override
    public void allMulticast(boolean on) {
        nic.accept((filter, now) -> filter.allMulticast(on, now));
    }

    @Override
    public void allUnicast(boolean on) {
        nic.accept((filter, now) -> filter.allUnicast(on, now));
    }

    @Override
    public void drop(Set<Destination> kinds) {
        nic.accept((filter, _) -> filter.drop(kinds));
    }
}
