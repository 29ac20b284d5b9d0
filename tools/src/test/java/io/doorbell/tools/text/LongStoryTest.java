package io.doorbell.tools.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.DoorbellException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class LongStoryTest {

    @Test
    void leavesAFailureOfOneLineAlone() {
        DoorbellException failure = new DoorbellException("no QEMU here");

        assertThat(LongStory.shorten(failure)).isSameAs(failure);
    }

    @Test
    void keepsTheFirstLineAndPutsTheWholeStoryIntoAFile() throws Exception {
        DoorbellException failure = new DoorbellException("the guest ended\nKernel panic\nat last");

        DoorbellException shorter = LongStory.shorten(failure);

        assertThat(shorter).hasCause(failure).message().startsWith("the guest ended; all that is known is in ");
        Path file = Path.of(String.valueOf(shorter.getMessage()).replaceFirst(".* is in ", ""));
        try {
            assertThat(file).hasContent("the guest ended\nKernel panic\nat last\n");
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void cutsALineThatIsTooLong() throws Exception {
        DoorbellException shorter = LongStory.shorten(new DoorbellException("x".repeat(5000)));

        Path file = Path.of(String.valueOf(shorter.getMessage()).replaceFirst(".* is in ", ""));
        assertThat(shorter.getMessage()).hasSizeLessThan(500);
        assertThat(Files.size(file)).isEqualTo(5001);
        Files.delete(file);
    }
}
