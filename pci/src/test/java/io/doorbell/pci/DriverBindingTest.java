package io.doorbell.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import jnr.constants.platform.Errno;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DriverBindingTest {

    private static final PciAddress NIC = PciAddress.parse("0000:01:00.0");
    private static final String DEVICE = "sys/bus/pci/devices/0000:01:00.0";

    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void plugIn() {
        host = new FakeHost(root).igb("0000:01:00.0", 12).driver("vfio-pci");
    }

    @Test
    void bindsToVfioByNamingTheOneDriverThatMayHaveTheFunction() {
        host.binding().bind(NIC, false);

        assertThat(driver()).contains("vfio-pci");
        assertThat(opened()).containsExactly("driver_override", "drivers/igb/unbind", "drivers_probe");
    }

    @Test
    void leavesAloneWhatIsBoundAlready() {
        host.binding().bind(NIC, false);
        host.kernel().forgetCalls();
        host.binding().bind(NIC, false);
        assertThat(host.kernel().calls()).isEmpty();
    }

    @Test
    void givesTheFunctionBackFromAnotherProcess() {
        host.binding().bind(NIC, false);
        assertThat(host.binding().restore(NIC)).contains("igb");
        assertThat(driver()).contains("igb");
        host.kernel().forgetCalls();
        assertThat(host.binding().restore(NIC)).as("again").contains("igb");
        assertThat(opened()).as("nothing is bound anew").containsExactly("driver_override");
    }

    @Test
    void remembersTheKernelsDriverThroughBindUnbindAndBind() {
        host.binding().bind(NIC, false);
        host.binding().unbind(NIC, false);
        assertThat(driver()).isEmpty();
        host.binding().bind(NIC, false);
        assertThat(host.binding().restore(NIC)).contains("igb");
    }

    @Test
    void restoresNoDriverWhereThereWasNone() {
        host.function("0000:02:00.0", "8086", "10c9", "020000").group("0000:02:00.0", 13);
        PciAddress bare = PciAddress.parse("0000:02:00.0");
        host.binding().bind(bare, false);
        assertThat(host.bus().find(bare).driver()).contains("vfio-pci");
        assertThat(host.binding().restore(bare)).isEmpty();
    }

    @Test
    void letsTheKernelChooseWhereNobodyWroteTheDriverDown() {
        host.bound("0000:01:00.0", "vfio-pci").bound("0000:01:00.0", "igb"); // as after a boot with vfio-pci.ids=
        host.binding().bind(NIC, false);
        assertThat(root.resolve("run/doorbell/former-driver/0000:01:00.0")
                        .toFile()
                        .delete())
                .isTrue();
        assertThat(host.binding().restore(NIC)).contains("igb");
    }

    @Test
    void refusesTheInterfaceWithTheDefaultRouteUnlessForced() {
        host.net("0000:01:00.0", "eth0", true).route("eth0", "default", 254);
        assertThatThrownBy(() -> host.binding().bind(NIC, false))
                .hasMessage(
                        "0000:01:00.0 is in use: eth0 carries a default route: taking it would end that, and may cut"
                                + " this machine off; --force takes it all the same");
        assertThatThrownBy(() -> host.binding().unbind(NIC, false)).hasMessageContaining("--force");
        assertThat(host.kernel().calls()).isEmpty();

        host.binding().bind(NIC, true);
        assertThat(driver()).contains("vfio-pci");
    }

    @Test
    void refusesToRestoreAPhysicalFunctionWhoseVirtualOnesAreThere() {
        host.binding().bind(NIC, false);
        host.file(DEVICE + "/sriov_numvfs", "2");
        assertThatThrownBy(() -> host.binding().restore(NIC))
                .hasMessageContaining(
                        "0000:01:00.0 is in use: it has virtual functions (2), which go with it ('echo 0 > ")
                .hasMessageEndingWith("; end it first");
        assertThat(driver()).contains("vfio-pci");
    }

    @Test
    void knowsWhatItTookAndNothingElse() {
        host.igb("0000:02:00.0", 13).bound("0000:02:00.0", "vfio-pci").igb("0000:03:00.0", 14);
        host.function("0000:04:00.0", "8086", "10c9", "020000").file("run/doorbell/former-driver/rubbish", "igb");
        assertThat(host.binding().taken()).isEmpty();
        host.binding().bind(NIC, false);
        host.binding().unbind(PciAddress.parse("03:00.0"), false);
        assertThat(host.binding().taken())
                .extracting(device -> device.address().toString())
                .containsExactly("0000:01:00.0", "0000:03:00.0");
        host.binding().restore(NIC);
        assertThat(host.binding().taken()).hasSize(1);
    }

    @Test
    void saysHowToLoadTheDriver(@TempDir Path other) {
        FakeHost bare = new FakeHost(other).igb("0000:01:00.0", 12);
        assertThatThrownBy(() -> bare.binding().bind(NIC, false))
                .hasMessage("the kernel has no driver vfio-pci loaded to bind 0000:01:00.0 to: run 'modprobe vfio-pci'"
                        + " as root");
    }

    @Test
    void refusesAFunctionBehindNoIommuBeforeItTakesAnything() {
        host.function("0000:03:00.0", "8086", "10c9", "020000").bound("0000:03:00.0", "igb");
        assertThatThrownBy(() -> host.binding().bind(PciAddress.parse("03:00.0"), false))
                .hasMessageContaining("is in no IOMMU group");
        assertThat(host.kernel().calls()).isEmpty();
    }

    @Test
    void namesThePathTheReasonAndTheWayOutOfAWriteThatFails() {
        host.kernel().fail("open " + host.path(DEVICE + "/driver_override"), Errno.EACCES);
        assertThatThrownBy(() -> host.binding().bind(NIC, false))
                .hasMessage("cannot write 'vfio-pci' to " + host.path(DEVICE + "/driver_override")
                        + ": EACCES (Permission denied); run as root, and outside a container that mounts /sys"
                        + " read-only");
        assertThat(driver()).contains("igb");
    }

    @Test
    void givesTheFunctionBackWhenVfioDoesNotTakeIt() {
        host.kernel().fail("pwrite " + host.path("sys/bus/pci/drivers_probe"), Errno.EBUSY);
        assertThatThrownBy(() -> host.binding().bind(NIC, false))
                .hasMessageStartingWith("cannot write '0000:01:00.0' to " + host.path("sys/bus/pci/drivers_probe")
                        + ": EBUSY (Device or resource busy); something else holds");
        assertThat(driver()).contains("igb");
        assertThat(host.kernel().open()).isEmpty();
    }

    @Test
    void noticesWhenAWriteSucceedsWithoutEffect() {
        host.kernel().onText(host.path("sys/bus/pci/drivers_probe"), address -> {});
        assertThatThrownBy(() -> host.binding().bind(NIC, false))
                .hasMessage("0000:01:00.0 was offered to vfio-pci, which did not take it; it is bound to no driver now:"
                        + " the kernel log (dmesg) says why");
        assertThat(driver()).contains("igb");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dev/vfio/12", "dev/vfio/noiommu-12", "dev/vfio/devices/vfio3", "dev/uio0"})
    void doesNotWaitForAProcessThatHoldsTheFunction(String file) {
        host.binding().bind(NIC, false);
        host.directory(DEVICE + "/vfio-dev/vfio3")
                .directory(DEVICE + "/uio/uio0")
                .process(4711, "java", file);
        for (Runnable taking : List.<Runnable>of(
                () -> host.binding().unbind(NIC, true), () -> host.binding().restore(NIC))) {
            assertThatThrownBy(taking::run)
                    .hasMessage("0000:01:00.0 is in use by process 4711 (java), which holds " + host.path(file)
                            + ": end it first");
        }
        assertThat(driver()).contains("vfio-pci");
    }

    @Test
    void saysThatAFunctionVanishedMeanwhile() {
        host.kernel().fail("pwrite " + host.path("sys/bus/pci/drivers/igb/unbind"), Errno.ENODEV);
        assertThatThrownBy(() -> host.binding().unbind(NIC, false)).hasMessageContaining("ENODEV");
    }

    private Optional<String> driver() {
        return host.bus().find(NIC).driver();
    }

    /** The files of sysfs that were opened, without what their paths share. */
    private List<String> opened() {
        return host.kernel().calls().stream()
                .filter(call -> call.startsWith("open "))
                .map(call -> call.replace("open " + host.path("sys/bus/pci") + "/", "")
                        .replace("devices/" + NIC + "/", ""))
                .toList();
    }
}
