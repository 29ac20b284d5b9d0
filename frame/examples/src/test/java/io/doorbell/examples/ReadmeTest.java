package io.doorbell.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The README shows the examples as they are. */
class ReadmeTest {

    private static final Path README = Path.of("..", "README.md");

    @ParameterizedTest
    @ValueSource(strings = {"LearningSwitch", "PcapWriter"})
    void showsTheExampleThatIsCompiledHere(String name) throws IOException {
        Path file = Path.of("src/main/java/io/doorbell/examples", name + ".java");
        String source = Files.readString(file);
        assertThat(source.lines()).hasSizeLessThan(120);
        assertThat(Files.readString(README))
                .contains("[" + name + ".java](examples/" + file + "):\n\n```java\n" + source + "```\n");
    }
}
