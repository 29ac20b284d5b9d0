package io.doorbell.virtio.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The README's table of features is that of the driver. (That the tests which it names exist is tested with all READMEs.) */
class FeatureTableTest {

    private static final Path README = Path.of("README.md");
    private static final Pattern TEST = Pattern.compile("\\[`\\w+\\.\\w+`]\\([^)]+\\.java\\)");

    private static List<String> rowsOf(Feature feature) throws IOException {
        return Files.readAllLines(README).stream()
                .filter(line -> line.startsWith("| `" + feature + "` |"))
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    void namesATestOfEachFeatureThatIsUsedAndWhyTheOthersAreNot(Feature feature) throws IOException {
        List<String> rows = rowsOf(feature);
        assertThat(rows).as("rows of %s in driver-virtio/README.md", feature).hasSize(1);
        if (feature.use() == Feature.Use.UNUSED) {
            assertThat(rows.getFirst().replace("`", "")).endsWith("| " + feature.whyUnused() + " |");
        } else {
            assertThat(rows.getFirst()).as("a test that shows it").containsPattern(TEST);
        }
    }
}
