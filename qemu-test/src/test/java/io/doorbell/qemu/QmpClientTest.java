package io.doorbell.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.qemu.qtest.QtestMachine;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class QmpClientTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String GREETING = "{\"QMP\": {\"version\": {}}}\r\n{\"return\": {}}\r\n";

    @Test
    @Tag("qtest")
    void commandsARealQemu() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start()) {
            Object status = machine.qmp().execute("query-status");
            assertThat(status).asInstanceOf(InstanceOfAssertFactories.MAP).containsEntry("status", "running");
        }
    }

    @Test
    @Tag("qtest")
    void quotesQemusReasonForARefusal() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start()) {
            assertThatThrownBy(() -> machine.qmp().setLink("nic7", false))
                    .isInstanceOf(QemuException.class)
                    .hasMessageContaining("set_link")
                    .hasMessageContaining("refused: Device 'nic7' not found");
        }
    }

    @Test
    @Tag("qtest")
    void keepsEventsUntilTheyAreAskedFor() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start()) {
            machine.qmp().execute("stop");
            machine.qmp().execute("cont");
            machine.qmp().execute("query-status");
            assertThat(machine.qmp().awaitEvent("RESUME", PATIENCE).name()).isEqualTo("RESUME");
            assertThat(machine.qmp().awaitEvent("STOP", PATIENCE).name()).isEqualTo("STOP");
        }
    }

    @Test
    void namesTheEventThatDoesNotCome(@TempDir Path folder) throws Exception {
        try (SocketPair sockets = SocketPair.open(folder)) {
            say(sockets, GREETING);
            QmpClient client = new QmpClient(sockets.left());
            assertThatThrownBy(() -> client.awaitEvent("DEVICE_DELETED", Duration.ofMillis(5)))
                    .isInstanceOf(QemuException.class)
                    .hasMessageStartingWith("left: no event DEVICE_DELETED within ");
        }
    }

    @Test
    void readsRepliesAndEventsHoweverTheyAreCut(@TempDir Path folder) throws Exception {
        try (SocketPair sockets = SocketPair.open(folder)) {
            say(sockets, GREETING + "{\"event\": \"A\", \"data\": {\"n\": 1}}\r\n{\"event\": \"A\", \"da");
            say(sockets, "ta\": {\"n\": 2}}\r\n{\"return\": \"" + "x".repeat(150_000) + "\"}\r\n");
            QmpClient client = new QmpClient(sockets.left());
            assertThat(client.execute("long")).asString().hasSize(150_000);
            assertThat(client.awaitEvent("A", PATIENCE).data()).isEqualTo(Map.of("n", 1));
            assertThat(client.awaitEvent("A", PATIENCE).data()).isEqualTo(Map.of("n", 2));
        }
    }

    @Test
    void refusesAServerThatIsNoQemu(@TempDir Path folder) throws Exception {
        try (SocketPair sockets = SocketPair.open(folder)) {
            say(sockets, "{\"hello\": 1}\n");
            assertThatThrownBy(() -> new QmpClient(sockets.left())).hasMessageContaining("no QMP greeting: {hello=1}");
        }
    }

    private static void say(SocketPair sockets, String text) {
        sockets.right().writeFully(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), PATIENCE);
    }
}
