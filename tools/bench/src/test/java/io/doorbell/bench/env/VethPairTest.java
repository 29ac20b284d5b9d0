package io.doorbell.bench.env;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.DoorbellException;
import io.doorbell.qemu.link.HostTap;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("root")
class VethPairTest {

    @BeforeEach
    void assumeRoot() {
        assumeTrue(
                HostTap.isPossible(), "SKIPPED: interfaces can be made by root only (CAP_NET_ADMIN and /dev/net/tun)");
    }

    @Test
    void isUpAndSaysNothingByItself() {
        try (VethPair veth = new VethPair()) {
            for (String end : new String[] {VethPair.near(veth.name()), VethPair.far(veth.name())}) {
                assertThat(VethPair.folder(end).resolve("operstate")).hasContent("up");
                assertThat(VethPair.folder(end).resolve("statistics/tx_packets"))
                        .hasContent("0");
                Path ipv6 = Path.of("/proc/sys/net/ipv6/conf", end, "disable_ipv6");
                if (Files.exists(ipv6)) {
                    assertThat(ipv6).hasContent("1");
                }
            }
        }
    }

    @Test
    void isGoneWhenClosed() {
        VethPair veth = new VethPair();
        Path near = VethPair.folder(VethPair.near(veth.name()));
        assertThat(near).exists();

        veth.close();

        assertThat(near).doesNotExist();
        assertThat(VethPair.folder(VethPair.far(veth.name()))).doesNotExist();
    }

    @Test
    void saysWhatFailedAndWhatItTakes() {
        assertThatThrownBy(() -> VethPair.ip("link", "delete", "doorbell-none"))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContainingAll("'ip link delete doorbell-none' failed", "doorbell-none", "it takes root");
    }
}
