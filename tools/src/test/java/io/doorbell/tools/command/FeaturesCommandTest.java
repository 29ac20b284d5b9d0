package io.doorbell.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.jr.ob.JSON;
import io.doorbell.frame.Nic;
import io.doorbell.tools.NicCtl;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.CapturedConsole;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a device that another part of this process plays: the other end of a vhost-user socket. */
class FeaturesCommandTest {

    private final CapturedConsole console = new CapturedConsole();

    @TempDir
    private Path folder = Path.of("");

    private String socket = "";
    private Nic farEnd;

    @BeforeEach
    void playTheDevice() {
        socket = folder.resolve("socket").toString();
        farEnd = Nic.open("vhost-user-backend:" + socket);
    }

    @AfterEach
    void stopTheDevice() {
        farEnd.close();
    }

    private int run(String... arguments) {
        return NicCtl.run(Context.ofProcess(console.console()), List.of(arguments));
    }

    @Test
    void saysWhatIsInUseAndWhyTheRestIsNot() {
        assertThat(run("features", "vhost-user:" + socket)).isZero();
        assertThat(console.out().lines().map(line -> line.replaceAll(" +", " ")))
                .contains(
                        "NAME BIT OFFERED WANTED NEGOTIATED WHY NOT",
                        "VIRTIO_F_RING_PACKED 34 yes yes yes -",
                        "VIRTIO_NET_F_CTRL_VQ 17 - yes - the device does not offer it");
    }

    @Test
    void saysTheSameToMachines() throws IOException {
        assertThat(run("features", "vhost-user:" + socket, "--json")).isZero();
        List<Map<String, Object>> features = JSON.std.listOfFrom(Object.class, console.out()).stream()
                .map(FeaturesCommandTest::object)
                .toList();
        assertThat(features)
                .contains(Map.of(
                        "name",
                        "VIRTIO_F_RING_PACKED",
                        "bit",
                        34,
                        "offered",
                        true,
                        "wanted",
                        true,
                        "negotiated",
                        true,
                        "whyNot",
                        ""));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    @Test
    void saysThatADeviceHasNothingToAgreeOn() {
        assertThat(run("features", "vhost-user-backend:" + folder.resolve("other")))
                .isEqualTo(1);
        assertThat(console.err()).contains("has no features to agree on");
    }

    @Test
    void refusesANameThatNoDriverKnows() {
        assertThat(run("features", "ether0")).isEqualTo(1);
        assertThat(console.err()).contains("ether0");
    }
}
