package io.doorbell.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import jnr.constants.platform.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VfioErrorsTest {

    private static final PciAddress NIC = PciAddress.parse("0000:01:00.0");

    @TempDir
    private Path root;

    private FakeVfio fake;
    private String groupFile;
    private String containerFile;

    @BeforeEach
    void boot() {
        fake = new FakeVfio(root);
        groupFile = fake.host.path("dev/vfio/12");
        containerFile = fake.host.path("dev/vfio/vfio");
    }

    @AfterEach
    void leavesNothingOpen() {
        assertThat(fake.kernel.open()).isEmpty();
        assertThat(fake.kernel.mappedBytes()).isZero();
    }

    @Test
    void namesTheDriverThatHasTheFunctionAndTheCommand() {
        fake.host.bound("0000:01:00.0", "igb");
        assertOpenFails("0000:01:00.0 is bound to igb, and only a function that is bound to vfio-pci can be opened: run"
                + " 'nicctl bind 0000:01:00.0' as root");
    }

    @Test
    void saysThatNoDriverHasTheFunction() {
        fake.host.function("0000:02:00.0", "8086", "10c9", "020000").group("0000:02:00.0", 13);
        assertThatThrownBy(() -> fake.vfio().openFunction(PciAddress.parse("02:00.0")))
                .hasMessageStartingWith("0000:02:00.0 has no driver, and only");
    }

    @Test
    void saysHowToGetAnIommu() {
        fake.host.function("0000:02:00.0", "8086", "10c9", "020000");
        assertThatThrownBy(() -> fake.vfio().openFunction(PciAddress.parse("02:00.0")))
                .hasMessageContaining("intel_iommu=on");
    }

    @Test
    void saysThatVfioIsNotLoaded() {
        fake.kernel.fail("open " + containerFile, Errno.ENOENT);
        assertOpenFails("VFIO is not loaded: " + containerFile
                + " ENOENT (No such file or directory); run 'modprobe vfio-pci' as root");
    }

    @Test
    void namesOwnerAndModeOfAFileThatIsOutOfReach() throws IOException {
        Files.setPosixFilePermissions(Path.of(groupFile), PosixFilePermissions.fromString("rw-------"));
        String owner = Files.getOwner(Path.of(groupFile)).getName();
        fake.kernel.fail("open " + groupFile, Errno.EACCES);
        assertThatThrownBy(this::open)
                .hasMessageStartingWith("no permission to open " + groupFile + " (owner " + owner + ", group ")
                .hasMessageContaining(
                        ", mode rw-------): EACCES (Permission denied); as root run 'chown $USER " + groupFile + "'")
                .hasMessageContaining("udev rule: SUBSYSTEM==\"vfio\", OWNER=");
    }

    @Test
    void namesTheProcessThatHoldsTheGroup() {
        fake.host.process(4711, "java", "dev/vfio/12").process(4712, "qemu", "dev/vfio/99");
        fake.kernel.fail("open " + groupFile, Errno.EBUSY);
        assertOpenFails("0000:01:00.0 is in use: " + groupFile
                + " is held by process 4711 (java); end it, or open another function");
    }

    @Test
    void namesTheProcessThatHoldsAFunctionOfTheGroupByAFileOfItsOwn() {
        fake.host
                .igb("0000:01:00.1", 12)
                .directory("sys/bus/pci/devices/0000:01:00.1/vfio-dev/vfio3")
                .process(4711, "qemu", "dev/vfio/devices/vfio3");
        fake.kernel.fail("open " + groupFile, Errno.EBUSY);
        assertOpenFails("0000:01:00.0 is in use: " + groupFile + " is held by process 4711 (qemu) by way of "
                + fake.host.path("dev/vfio/devices/vfio3") + "; end it, or open another function");
    }

    @Test
    void saysWhenTheHolderIsNotToBeSeen() {
        fake.kernel.fail("open " + groupFile, Errno.EBUSY);
        assertThatThrownBy(this::open).hasMessageContaining("another process, which /proc does not show to this user");
    }

    @Test
    void namesTheMembersThatMakeAGroupUnviable() {
        fake.viable = false;
        fake.host
                .igb("0000:01:00.1", 12)
                .function("0000:00:1c.0", "8086", "244e", "060400")
                .group("0000:00:1c.0", 12)
                .bound("0000:00:1c.0", "pcieport")
                .function("0000:01:00.2", "8086", "10c9", "020000")
                .group("0000:01:00.2", 12);
        assertOpenFails(
                "IOMMU group 12 of 0000:01:00.0 is not viable: the kernel uses 0000:01:00.1 (igb) of it, and the"
                        + " IOMMU cannot keep the functions of a group apart: bind all of them to vfio-pci ('nicctl bind"
                        + " ADDRESS'), or put the NIC into a slot with a group of its own");
    }

    @Test
    void takesABusyGroupForUnviableWhenItIsToJoinTheContainer() {
        fake.host.igb("0000:01:00.1", 12);
        fake.kernel.fail("VFIO_GROUP_SET_CONTAINER", Errno.EBUSY);
        assertThatThrownBy(this::open).hasMessageContaining("is not viable: the kernel uses 0000:01:00.1 (igb) of it");
    }

    @Test
    void explainsAPlatformWithoutInterruptRemapping() {
        fake.kernel.fail("VFIO_SET_IOMMU", Errno.EPERM);
        assertThatThrownBy(this::open)
                .hasMessageStartingWith("VFIO_SET_IOMMU failed: EPERM (Operation not permitted), type=3: the platform"
                        + " does not remap interrupts")
                .hasMessageContaining("allow_unsafe_interrupts=1");
    }

    @Test
    void saysHowMuchLockedMemoryIsNeededAndHowToAllowIt() {
        fake.kernel.memlockLimit(8 << 20);
        try (PciFunction nic = fake.vfio().openFunction(NIC)) {
            nic.dma().allocate(6 << 20);
            fake.kernel.fail("VFIO_IOMMU_MAP_DMA", Errno.ENOMEM);
            assertThatThrownBy(() -> nic.dma().allocate(4 << 20))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessage("VFIO_IOMMU_MAP_DMA failed: ENOMEM (Cannot allocate memory), iova=0x800000 size=4 MiB:"
                            + " the memlock limit is 8 MiB, and 10485760 bytes (10 MiB) are needed with what is mapped"
                            + " already; raise it with 'ulimit -l 10240' as root before the start, with a line"
                            + " 'USER - memlock unlimited' in /etc/security/limits.conf, or with LimitMEMLOCK=infinity"
                            + " in a systemd unit");
        }
    }

    @Test
    void doesNotBlameALimitThatThereIsNot() {
        try (PciFunction nic = fake.vfio().openFunction(NIC)) {
            fake.kernel.fail("VFIO_IOMMU_MAP_DMA", Errno.ENOMEM);
            assertThatThrownBy(() -> nic.dma().allocate(1))
                    .hasMessage(
                            "VFIO_IOMMU_MAP_DMA failed: ENOMEM (Cannot allocate memory), iova=0x200000 size=2 MiB: no"
                                    + " memlock limit applies to this process, so the kernel has no memory left for the IOMMU's"
                                    + " tables of these 2 MiB, or a memory cgroup forbids it: see 'free -m', memory.max of the"
                                    + " cgroup and the kernel log (dmesg); map less, or give the machine or the container more"
                                    + " memory");
            fake.kernel.memlockLimit(8 << 20);
            assertThatThrownBy(() -> nic.dma().allocate(1))
                    .hasMessageContaining(": the memlock limit of 8 MiB is above the 2 MiB that are mapped with this,")
                    .hasMessageNotContaining("ulimit");
        }
    }

    @Test
    void namesTheLimitOfMappings() {
        try (PciFunction nic = fake.vfio().openFunction(NIC)) {
            fake.kernel.fail("VFIO_IOMMU_MAP_DMA", Errno.ENOSPC);
            assertThatThrownBy(() -> nic.dma().allocate(1))
                    .hasMessageContaining("no more than 65535 mappings; allocate fewer and larger regions, or raise"
                            + " dma_entry_limit of module vfio_iommu_type1");
        }
    }

    private void open() {
        fake.vfio().openFunction(NIC);
    }

    private void assertOpenFails(String message) {
        assertThatThrownBy(this::open).isInstanceOf(DoorbellException.class).hasMessage(message);
    }
}
