package io.doorbell.igb.nic;

import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.Destination;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.igb.filter.ReceiveFilter;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The receive filter of an open NIC.
 *
 * @param nic changes the filter under the NIC's lock, and writes it to the device if that runs
 */
record IgbMacFilter(ReceiveFilter filter, Consumer<Runnable> nic) implements MacFilter {

    @Override
    public void macAddress(MacAddress address) {
        nic.accept(() -> filter.own(address));
    }

    @Override
    public void addresses(Collection<MacAddress> others) {
        List<MacAddress> copy = List.copyOf(others);
        nic.accept(() -> filter.others(copy));
    }

    @Override
    public void allMulticast(boolean on) {
        nic.accept(() -> filter.allMulticast(on));
    }

    @Override
    public void allUnicast(boolean on) {
        nic.accept(() -> filter.allUnicast(on));
    }

    @Override
    public void drop(Set<Destination> kinds) {
        nic.accept(() -> filter.drop(kinds));
    }
}
