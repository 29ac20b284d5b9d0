package io.doorbell.pci;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A network interface that a kernel driver made of a function.
 *
 * @param name such as {@code eth0}
 * @param mac as Linux writes it
 * @param state {@code operstate}: {@code up}, {@code down}, {@code dormant}, {@code unknown}…
 * @param up whether somebody has set it up ({@code IFF_UP}), with a link or without
 * @param carrier whether there is a link; unknown while the interface is down
 * @param speed of the link in Mbit/s, where known
 * @param addresses all that it has, link-local ones too
 * @param defaultRoute whether a default route goes out through it
 */
public record NetInterface(
        String name,
        String mac,
        String state,
        boolean up,
        Optional<Boolean> carrier,
        Optional<Integer> speed,
        List<InetAddress> addresses,
        boolean defaultRoute) {

    public NetInterface {
        addresses = List.copyOf(addresses);
    }

    /**
     * Why taking the interface away may cut somebody off, in words that follow its name; empty when it will not. A
     * link-local address is none: each interface that is up gives itself one.
     */
    public Optional<String> inUse() {
        if (defaultRoute) {
            return Optional.of("carries a default route");
        }
        String configured = addresses.stream()
                .filter(address -> !address.isLinkLocalAddress())
                .map(InetAddress::getHostAddress)
                .map(text -> text.replaceFirst("%.*", ""))
                .collect(Collectors.joining(", "));
        return up && !configured.isEmpty() ? Optional.of("is up with address " + configured) : Optional.empty();
    }
}
