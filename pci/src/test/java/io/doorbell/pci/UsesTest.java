package io.doorbell.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UsesTest {

    private static final String ADDRESS = "0000:01:00.0";
    private static final String DEVICE = "sys/bus/pci/devices/" + ADDRESS;
    private static final String NET = DEVICE + "/net/eth0";

    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void plugIn() {
        host = new FakeHost(root).igb(ADDRESS, 12);
    }

    private Iterable<String> uses() {
        return host.bus().uses(PciAddress.parse(ADDRESS));
    }

    @Test
    void areNoneOfAnInterfaceThatIsOnlyThere() throws Exception {
        assertThat(uses()).as("without an interface").isEmpty();
        host.net(ADDRESS, "eth0", true, InetAddress.getByName("fe80::1")).file(DEVICE + "/sriov_numvfs", "0");
        assertThat(uses()).as("up, with a link-local address").isEmpty();
        host.net(ADDRESS, "eth0", false, InetAddress.getByName("192.0.2.7"));
        assertThat(uses()).as("down, with an address").isEmpty();
    }

    @Test
    void includeAnAddressOfAnInterfaceThatIsUp() throws Exception {
        host.net(ADDRESS, "eth0", true, InetAddress.getByName("192.0.2.7"), InetAddress.getByName("fe80::1"));
        assertThat(uses()).containsExactly("eth0 is up with address 192.0.2.7");
    }

    @Test
    void includeARouteOfWhicheverTable() {
        host.net(ADDRESS, "eth0", true).route("eth0", "198.51.100.0/24", 100);
        assertThat(uses()).containsExactly("eth0 carries a route to 198.51.100.0/24 in table 100");
    }

    @Test
    void includeTheBondTheBridgeAndTheTeamThatItIsPartOf() {
        host.net(ADDRESS, "eth0", true).upper(ADDRESS, "eth0", "bond0", true);
        assertThat(uses()).containsExactly("eth0 is part of bond0");
        host.file("sys/class/net/bond0/uevent", "DEVTYPE=bond\nINTERFACE=bond0");
        assertThat(uses()).containsExactly("eth0 is part of bond0 (bond)");
    }

    @Test
    void includeTheVlanThatIsOnTopOfItEvenIfItIsDownItself() {
        host.net(ADDRESS, "eth0", false)
                .upper(ADDRESS, "eth0", "eth0.7", false)
                .file("sys/class/net/eth0.7/uevent", "DEVTYPE=vlan");
        assertThat(uses()).containsExactly("eth0 carries eth0.7 (vlan)");
    }

    @Test
    void includeThoseOfAnInterfaceThatVirtioPutsADeviceDeeper() {
        host.file(DEVICE + "/virtio3/net/ens3/flags", "0x1003").route("ens3", "default", 254);
        assertThat(uses()).containsExactly("ens3 carries a default route");
    }

    @Test
    void includeAnEarThatIsOnTheWire() {
        host.net(ADDRESS, "eth0", true).file(NET + "/flags", "0x1103");
        assertThat(uses())
                .containsExactly("eth0 is in promiscuous mode: somebody captures or forwards what it receives");
    }

    @Test
    void includeAPppoeSession() {
        host.net(ADDRESS, "eth0", true).file("proc/net/pppoe", """
                Id       Address              Device
                7B000000 02:00:00:00:00:99     eth0""");
        assertThat(uses()).containsExactly("eth0 carries a PPPoE session");
    }

    @Test
    void includeVirtualFunctions() {
        host.file(DEVICE + "/sriov_numvfs", "2");
        assertThat(uses())
                .containsExactly("it has virtual functions (2), which go with it ('echo 0 > "
                        + host.path(DEVICE + "/sriov_numvfs") + "' ends them)");
    }

    @Test
    void includeAnInterfaceThatIsInAnotherNamespace() {
        host.directory(DEVICE + "/net");
        assertThat(uses())
                .containsExactly("its network interface is in another network namespace, such as a container's");
    }

    @Test
    void includeWhatCannotBeFoundOut() {
        host.file(DEVICE + "/net", "no directory");
        assertThat(uses())
                .singleElement()
                .asString()
                .startsWith("the interfaces of it cannot be found out (" + host.path(DEVICE + "/net"));
    }

    @Test
    void includeWhatTheNetworkDoesNotTell() {
        host.net(ADDRESS, "eth0", true).unknown("eth0");
        assertThat(uses()).containsExactly("what eth0 is used for cannot be found out (eth0 is elsewhere)");
    }

    @Test
    void includeFlagsThatCannotBeRead() {
        host.net(ADDRESS, "eth0", true).file(NET + "/flags", "rubbish").directory(DEVICE + "/sriov_numvfs");
        assertThat(uses())
                .satisfiesExactlyInAnyOrder(
                        vfs -> assertThat(vfs).startsWith("how many virtual functions it has cannot be found out ("),
                        flags -> assertThat(flags)
                                .isEqualTo("eth0 may be up: " + host.path(NET + "/flags") + " cannot be read"));
    }
}
