package io.doorbell.dma.cleanup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReleasesTest {

    private final List<String> released = new ArrayList<>();
    private final Releases releases = new Releases();

    @Test
    void goOnAfterAnErrorAndThrowItInTheEnd() {
        IllegalStateException later = new IllegalStateException("later");
        releases.add(() -> released.add("first"));
        releases.add(() -> {
            throw later;
        });
        releases.add(() -> {
            throw new StackOverflowError("first failure");
        });
        assertThatThrownBy(releases::all).isInstanceOf(StackOverflowError.class).hasSuppressedException(later);
        assertThat(released).containsExactly("first");
        releases.all();
    }

    @Test
    void keepTheFailureThatTheyFollow() {
        RuntimeException failure = new RuntimeException("why");
        releases.add(() -> released.add("first"));
        releases.add(() -> {
            throw failure;
        });
        releases.add(() -> {
            throw new AssertionError("worse");
        });
        releases.allAfter(failure);
        assertThat(released).containsExactly("first");
        assertThat(failure.getSuppressed()).singleElement().isInstanceOf(AssertionError.class);
    }
}
