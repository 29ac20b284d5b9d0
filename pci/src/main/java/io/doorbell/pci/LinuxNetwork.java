package io.doorbell.pci;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.pci.host.Netlink;
import io.doorbell.pci.host.Netlink.Message;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The machine's network by rtnetlink(7): structures and numbers are those of {@code linux/rtnetlink.h}. */
final class LinuxNetwork implements HostNetwork {

    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;

    /** {@code struct ifinfomsg}, with the interface's index at 4. */
    private static final int LINK = 16;

    private static final int IFLA_IFNAME = 3;

    /** {@code struct ifaddrmsg}, with the interface's index at 4. */
    private static final int ADDRESS = 8;

    private static final int IFA_ADDRESS = 1;
    /** Our end, where {@link #IFA_ADDRESS} is the other one's. */
    private static final int IFA_LOCAL = 2;

    /** {@code struct rtmsg}: family, length of the destination, … table (4), protocol (5), scope, type (7), flags. */
    private static final int ROUTE = 12;

    private static final int RTN_UNICAST = 1;
    private static final int RTPROT_KERNEL = 2;
    private static final int RT_TABLE_LOCAL = 255;
    private static final int RTA_DST = 1;
    private static final int RTA_OIF = 4;
    private static final int RTA_MULTIPATH = 9;
    private static final int RTA_TABLE = 15;

    /** Where the kernel tells neither interface nor next hops (net.ipv4.nexthop_compat_mode=0), it may be any. */
    private static final int ANY_INTERFACE = 0;

    @Override
    public List<InetAddress> addresses(String name) {
        int index = index(name);
        List<InetAddress> addresses = new ArrayList<>();
        for (Message message : list(Netlink.RTM_NEWADDR, ADDRESS)) {
            if (message.head().getInt(4) == index) {
                message.attribute(IFA_LOCAL)
                        .or(() -> message.attribute(IFA_ADDRESS))
                        .ifPresent(bytes -> addresses.add(address(bytes)));
            }
        }
        return addresses;
    }

    @Override
    public List<Route> routes(String name) {
        int index = index(name);
        List<Route> routes = new ArrayList<>();
        for (Message message : list(Netlink.RTM_NEWROUTE, ROUTE)) {
            route(message).filter(route -> leavesBy(message, index)).ifPresent(routes::add);
        }
        return routes;
    }

    /** Empty when it leads nowhere, or when it is the kernel's own and says no more than the interface's addresses. */
    private static Optional<Route> route(Message message) {
        ByteBuffer head = message.head();
        int length = Byte.toUnsignedInt(head.get(1));
        long table = message.attribute(RTA_TABLE)
                .map(value -> Integer.toUnsignedLong(value.getInt(0)))
                .orElse((long) Byte.toUnsignedInt(head.get(4)));
        boolean implied = head.get(5) == RTPROT_KERNEL && length != 0;
        if (head.get(7) != RTN_UNICAST || table == RT_TABLE_LOCAL || implied) {
            return Optional.empty();
        }
        return Optional.of(new Route(length == 0 ? "default" : destination(message) + "/" + length, table));
    }

    private static String destination(Message message) {
        int family = message.head().get(0);
        return message.attribute(RTA_DST)
                .filter(bytes -> family == AF_INET || family == AF_INET6)
                .map(bytes -> address(bytes).getHostAddress())
                .orElse("address family " + family);
    }

    private static boolean leavesBy(Message message, int index) {
        Optional<ByteBuffer> one = message.attribute(RTA_OIF);
        if (one.isPresent()) {
            return one.get().getInt(0) == index;
        }
        List<Integer> several =
                message.attribute(RTA_MULTIPATH).map(LinuxNetwork::nextHops).orElse(List.of(ANY_INTERFACE));
        return several.contains(index) || several.contains(ANY_INTERFACE);
    }

    /** {@code struct rtnexthop}: length (2), flags, weight, index of the interface (4); attributes follow. */
    private static List<Integer> nextHops(ByteBuffer hops) {
        List<Integer> indices = new ArrayList<>();
        int length;
        for (int at = 0; at + 8 <= hops.limit(); at += Math.max(8, length + 3 & ~3)) {
            length = Short.toUnsignedInt(hops.getShort(at));
            indices.add(hops.getInt(at + 4));
        }
        return indices;
    }

    /** The number by which the kernel knows the interface. Sysfs may be showing another network namespace than ours. */
    private static int index(String name) {
        for (Message message : list(Netlink.RTM_NEWLINK, LINK)) {
            if (message.attribute(IFLA_IFNAME)
                    .filter(bytes -> name.equals(text(bytes)))
                    .isPresent()) {
                return message.head().getInt(4);
            }
        }
        throw new DoorbellException(name + " is not in the network namespace of this process");
    }

    private static List<Message> list(int kind, int headSize) {
        return Netlink.list(Kernel.linux(), kind, headSize);
    }

    private static String text(ByteBuffer bytes) {
        return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString().replaceFirst("\0.*", "");
    }

    private static InetAddress address(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.limit()];
        bytes.get(0, copy);
        try {
            return InetAddress.getByAddress(copy);
        } catch (UnknownHostException e) {
            throw new DoorbellException("the kernel knows an address of " + copy.length + " bytes, which is none", e);
        }
    }
}
