package io.doorbell.qemu.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.qemu.QemuException;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
@Tag("guest")
class GuestPanicIT {

    @Test
    void failsWhateverIsWaitedForAndShowsTheConsole() {
        try (GuestMachine guest = GuestMachine.builder().memoryMiB(512).cpus(1).start()) {
            GuestProcess bystander = guest.spawn("sleep", "1000");

            assertThatThrownBy(() -> guest.run("sh", "-c", "echo c >/proc/sysrq-trigger"))
                    .isInstanceOf(QemuException.class)
                    .hasMessageContainingAll(
                            "the guest ended while it ran 'sh -c echo c >/proc/sysrq-trigger'",
                            "QEMU ended with status 0",
                            "Kernel panic - not syncing: sysrq triggered crash");
            assertThatThrownBy(() -> bystander.await(Duration.ofSeconds(30)))
                    .isInstanceOf(QemuException.class)
                    .hasMessageContaining("Kernel panic");
            assertThat(bystander.isAlive()).isFalse();
            assertThatThrownBy(() -> guest.run("true"))
                    .isInstanceOf(QemuException.class)
                    .hasMessageContaining("Kernel panic");
        }
    }
}
