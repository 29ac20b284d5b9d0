package io.doorbell.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;

/** Asks the running kernel. */
class LinuxNetworkTest {

    @Test
    void knowsTheAddressesOfAnInterface() throws Exception {
        assertThat(HostNetwork.linux().addresses("lo")).contains(InetAddress.getByName("127.0.0.1"));
    }

    @Test
    void leavesOutTheRoutesThatFollowFromAddresses() {
        assertThat(HostNetwork.linux().routes("lo")).isEmpty();
    }

    @Test
    void saysThatAnInterfaceIsNotThere() {
        assertThatThrownBy(() -> HostNetwork.linux().routes("nonsense0"))
                .hasMessage("nonsense0 is not in the network namespace of this process");
    }

    @Test
    void tellsOfARouteAsAPersonWould() {
        assertThat(new Route("default", 254)).hasToString("a default route");
        assertThat(new Route("192.0.2.0/24", 7)).hasToString("a route to 192.0.2.0/24 in table 7");
    }
}
