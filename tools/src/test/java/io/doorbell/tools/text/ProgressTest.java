package io.doorbell.tools.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressTest {

    private final CapturedConsole captured = new CapturedConsole();
    private final Progress progress = new Progress(captured.console());

    @Test
    void writesALineAStepWithItsResultAndItsDuration() {
        progress.step("looking for QEMU", () -> "version 10");

        assertThat(captured.err()).matches("✓ looking for QEMU: version 10 +0\\.\\d s\n");
    }

    @Test
    void writesACountEveryTenthOfTheWayWhereThereIsNoTerminal() {
        progress.begin("counting");
        for (int i = 1; i <= 1000; i++) {
            progress.count(i, 1000);
        }
        progress.done("");

        assertThat(captured.err().lines())
                .hasSize(10)
                .startsWith("  … 100 of 1,000 (10 %)", "  … 200 of 1,000 (20 %)")
                .last()
                .asString()
                .startsWith("✓ counting");
    }

    @Test
    void crossesOutTheStepThatFailedOnceAndOnlyIfOneRuns() {
        progress.begin("waiting for link");
        progress.failed();
        progress.failed();

        assertThat(captured.err()).matches("✗ waiting for link +0\\.\\d s\n");
    }

    @Test
    void writesNoControlCharactersWhereThereIsNoTerminal() {
        progress.begin("a");
        progress.count(1, 2);
        progress.done("b");

        assertThat(captured.err()).doesNotContain("\r", "\u001b");
    }

    @Test
    void writesOverTheRunningLineOnATerminal() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
        Progress live = new Progress(new Console(stream, stream, true));

        live.begin("waiting");
        live.done("over");

        assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("\r\u001b[K  waiting …\r\u001b[K✓ waiting: over");
    }
}
