package io.doorbell.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PciBusTest {

    private static final PciAddress NIC = PciAddress.parse("0000:01:00.0");

    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void plugIn() {
        host = new FakeHost(root)
                .function("0000:00:1f.2", "8086", "2922", "010601")
                .igb("0000:01:00.0", 12);
    }

    @Test
    void listsEveryFunctionInOrderOfItsAddress() {
        host.function("10000:00:00.0", "8086", "0000", "060000").function("0000:00:02.0", "8086", "0001", "030000");
        assertThat(host.bus().devices())
                .extracting(device -> device.address().toString())
                .containsExactly("0000:00:02.0", "0000:00:1f.2", "0000:01:00.0", "10000:00:00.0");
    }

    @Test
    void readsWhatAFunctionIs() throws Exception {
        String directory = "sys/bus/pci/devices/0000:01:00.0/";
        host.file(directory + "current_link_speed", "2.5 GT/s PCIe")
                .file(directory + "current_link_width", "4")
                .file(directory + "max_link_speed", "5.0 GT/s PCIe")
                .file(directory + "max_link_width", "8")
                .file(directory + "numa_node", "1")
                .file(directory + "reset", "")
                .file(directory + "resource", """
                        0x00000000fe800000 0x00000000fe81ffff 0x0000000000040200
                        0x0000000000000000 0x0000000000000000 0x0000000000000000
                        0x000000000000c000 0x000000000000c01f 0x0000000000040101
                        0x0000008000000000 0x0000008000003fff 0x000000000014220c""")
                .net("0000:01:00.0", "eth0", true, InetAddress.getByName("10.0.2.15"));

        PciDevice nic = host.bus().find(NIC);

        assertThat(nic.id()).hasToString("8086:10c9");
        assertThat(nic.subsystem()).hasToString("8086:a03c");
        assertThat(nic.isNic()).isTrue();
        assertThat(nic.driver()).contains("igb");
        assertThat(nic.iommuGroup()).contains(12);
        assertThat(nic.numaNode()).contains(1);
        assertThat(nic.resettable()).isTrue();
        assertThat(nic.link()).contains(new PciLink("2.5 GT/s PCIe", 4, "5.0 GT/s PCIe", 8));
        assertThat(nic.resources())
                .containsExactly(
                        new PciResource(0, 0xfe800000L, 0x20000, 0x40200),
                        new PciResource(2, 0xc000, 32, 0x40101),
                        new PciResource(3, 0x80_0000_0000L, 0x4000, 0x14220c));
        assertThat(nic.resources()).extracting(PciResource::isIo).containsExactly(false, true, false);
        assertThat(nic.resources()).extracting(PciResource::is64Bit).containsExactly(false, false, true);
        NetInterface eth0 = nic.interfaces().getFirst();
        assertThat(eth0.name()).isEqualTo("eth0");
        assertThat(eth0.mac()).isEqualTo("02:00:00:00:00:01");
        assertThat(eth0.up()).isTrue();
        assertThat(eth0.carrier()).contains(true);
        assertThat(eth0.speed()).contains(1000);
        assertThat(eth0.addresses()).containsExactly(InetAddress.getByName("10.0.2.15"));
    }

    @Test
    void knowsNoMoreThanSysfsSays() {
        PciDevice disk = host.bus().find(PciAddress.parse("00:1f.2"));
        assertThat(disk.driver()).isEmpty();
        assertThat(disk.iommuGroup()).isEmpty();
        assertThat(disk.numaNode()).isEmpty();
        assertThat(disk.link()).isEmpty();
        assertThat(disk.resources()).isEmpty();
        assertThat(disk.resettable()).isFalse();
    }

    @Test
    void findsTheInterfaceThatVirtioPutsADeviceDeeper() {
        String net = "sys/bus/pci/devices/0000:01:00.0/virtio3/net/ens3/";
        host.file(net + "flags", "0x1003").file(net + "operstate", "up");
        assertThat(host.bus().find(NIC).interfaces())
                .extracting(NetInterface::name)
                .containsExactly("ens3");
    }

    @Test
    void passesOverWhatMakesNoSense() throws Exception {
        String directory = "sys/bus/pci/devices/0000:01:00.0/";
        Files.delete(root.resolve(directory + "iommu_group"));
        Files.createSymbolicLink(root.resolve(directory + "iommu_group"), Path.of("../twelve"));
        Files.delete(root.resolve(directory + "driver"));
        Files.createSymbolicLink(root.resolve(directory + "driver"), Path.of("/"));
        host.file(directory + "resource", """
                0x00000000fe800000 0x00000000fe81ffff
                rubbish
                0x0000000000000000 0xffffffffffffffff 0x0000000000040200
                0x0000008000000000 0x0000008000003fff 0x000000000014220c""")
                .file(directory + "numa_node", "")
                .net("0000:01:00.0", "eth0", true)
                .unknown("eth0");
        Files.write(root.resolve(directory + "max_link_speed"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});

        PciDevice nic = host.bus().find(NIC);

        assertThat(nic.driver()).isEmpty();
        assertThat(nic.iommuGroup()).isEmpty();
        assertThat(nic.numaNode()).isEmpty();
        assertThat(nic.link()).isEmpty();
        assertThat(nic.resources()).extracting(PciResource::number).containsExactly(3);
        assertThat(nic.interfaces().getFirst().addresses()).isEmpty();
    }

    @Test
    void gathersTheMembersOfAnIommuGroup() {
        host.igb("0000:01:00.1", 12).igb("0000:02:00.0", 13);
        assertThat(host.bus().group(12))
                .extracting(device -> device.address().toString())
                .containsExactly("0000:01:00.0", "0000:01:00.1");
    }

    @Test
    void saysThatThereIsNoSuchAddress() {
        assertThatThrownBy(() -> host.bus().find(PciAddress.parse("0000:05:00.0")))
                .hasMessage("there is no PCI function 0000:05:00.0 on this machine: 'nicctl list' shows the NICs that"
                        + " there are");
    }

    @Test
    void saysWhatIsNoNic() {
        assertThatThrownBy(() -> host.bus().find(PciAddress.parse("00:1f.2")).requireNic())
                .hasMessage("0000:00:1f.2 is not a NIC but a mass storage controller (class 0x010601): 'nicctl list'"
                        + " shows the NICs");
    }

    @Test
    void saysHowToGetAnIommu() {
        assertThatThrownBy(() -> host.bus().find(PciAddress.parse("00:1f.2")).requireIommuGroup())
                .hasMessageStartingWith("0000:00:1f.2 is in no IOMMU group")
                .hasMessageContaining("intel_iommu=on")
                .hasMessageContaining("amd_iommu=on")
                .hasMessageContaining("VT-d");
    }

    @Test
    void survivesAMachineWithoutPci(@TempDir Path empty) {
        assertThat(new PciBus(empty, HostNetwork.linux()).devices()).isEmpty();
    }

    @Test
    void readsThisMachine() {
        assertThat(PciBus.system().devices())
                .allSatisfy(device ->
                        assertThat(PciBus.system().find(device.address()).id()).isEqualTo(device.id()));
    }
}
