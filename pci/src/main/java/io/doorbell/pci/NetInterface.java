package io.doorbell.pci;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * A network interface that a kernel driver made of a function.
 *
 * @param name such as {@code eth0}
 * @param mac as Linux writes it
 * @param state {@code operstate}: {@code up}, {@code down}, {@code dormant}, {@code unknown}…
 * @param up whether somebody has set it up ({@code IFF_UP}), with a link or without
 * @param carrier whether there is a link; unknown while the interface is down
 * @param speed of the link in Mbit/s, where known
 * @param addresses all that it has, link-local ones too; none where that cannot be found out
 */
public record NetInterface(
        String name,
        String mac,
        String state,
        boolean up,
        Optional<Boolean> carrier,
        Optional<Integer> speed,
        List<InetAddress> addresses) {

    public NetInterface {
        addresses = List.copyOf(addresses);
    }
}
