package io.doorbell.pci;

import java.net.InetAddress;
import java.util.List;

/** What the machine's network knows of its interfaces. Each call asks anew. Thread-safe. */
public interface HostNetwork {

    /** The running Linux, as this process's network namespace has it. */
    static HostNetwork linux() {
        return new LinuxNetwork();
    }

    /**
     * The addresses of the interface with this name, link-local ones too.
     *
     * @throws io.doorbell.DoorbellException when that cannot be found out
     */
    List<InetAddress> addresses(String name);

    /**
     * The routes that go out through it, of every table and both protocols. Those that the kernel makes of the
     * interface's own addresses are left out.
     *
     * @throws io.doorbell.DoorbellException when that cannot be found out
     */
    List<Route> routes(String name);
}
