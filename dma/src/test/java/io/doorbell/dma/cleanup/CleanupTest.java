package io.doorbell.dma.cleanup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CleanupTest {

    private final List<String> undone = new ArrayList<>();

    @Test
    void leavesAloneWhatSucceeded() {
        assertThat(Cleanup.onFailure(() -> undone.add("all"), () -> "result")).isEqualTo("result");
        assertThat(undone).isEmpty();
    }

    @Test
    void undoesWhatFailedAndThrowsWhatItFailedWith() {
        Error failure = new StackOverflowError("why");
        assertThatThrownBy(() -> Cleanup.onFailure(() -> undone.add("all"), () -> {
                    throw failure;
                }))
                .isSameAs(failure);
        assertThat(undone).containsExactly("all");
    }

    @Test
    void keepsTheFirstFailureWhenThereIsNoUndoingItEither() {
        RuntimeException failure = new RuntimeException("why");
        RuntimeException worse = new RuntimeException("worse");
        assertThatThrownBy(() -> Cleanup.onFailure(
                        () -> {
                            throw worse;
                        },
                        () -> {
                            throw failure;
                        }))
                .isSameAs(failure)
                .hasSuppressedException(worse);
    }
}
