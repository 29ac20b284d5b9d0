package io.doorbell.pci;

import io.doorbell.pci.host.HostFiles;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** Which interfaces a default route goes out through, as the kernel's main tables have it. */
final class DefaultRoutes {

    private static final long RTF_UP = 0x1;
    private static final long RTF_REJECT = 0x200;

    private DefaultRoutes() {}

    /** @param proc where procfs is */
    static Set<String> interfaces(Path proc) {
        Set<String> interfaces = new HashSet<>();
        for (String line : HostFiles.lines(proc.resolve("net/route"))) {
            // Iface Destination Gateway Flags RefCnt Use Metric Mask…, after a line of headings
            String[] field = line.strip().split("\\s+", -1);
            if (field.length >= 8 && field[1].equals("00000000") && field[7].equals("00000000") && usable(field[3])) {
                interfaces.add(field[0]);
            }
        }
        for (String line : HostFiles.lines(proc.resolve("net/ipv6_route"))) {
            // destination, its prefix length, source, its prefix length, next hop, metric, references, use, flags, name
            String[] field = line.strip().split("\\s+", -1);
            if (field.length >= 10 && field[0].matches("0{32}") && field[1].equals("00") && usable(field[8])) {
                interfaces.add(field[9]);
            }
        }
        return interfaces;
    }

    private static boolean usable(String flags) {
        return (Long.parseLong(flags, 16) & (RTF_UP | RTF_REJECT)) == RTF_UP;
    }
}
