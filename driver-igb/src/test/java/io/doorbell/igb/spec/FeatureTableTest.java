package io.doorbell.igb.spec;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.DriverFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The README's table of features is that of the driver. (That the tests which it names exist is tested with all READMEs.) */
class FeatureTableTest {

    private static final Path README = Path.of("README.md");
    private static final Pattern TEST = Pattern.compile("\\[`\\w+\\.\\w+`]\\([^)]+\\.java\\)");

    /** Those of the columns; I354 is as I350, and I211 as I210. */
    private static final List<IgbModel> COLUMNS =
            List.of(IgbModel.I82576, IgbModel.I82580, IgbModel.I350, IgbModel.I210);

    private static String cell(IgbFeature feature, IgbModel model) {
        return cell(feature.evidence(model));
    }

    private static String cell(Optional<DriverFeature.Evidence> known) {
        return known.map(evidence -> evidence.equals(DriverFeature.Evidence.PROVED) ? "QEMU" : "table")
                .orElse("–");
    }

    @ParameterizedTest
    @EnumSource
    void saysOfEachFeatureWhatTheDriverSaysAndNamesATest(IgbFeature feature) throws IOException {
        List<String> rows = Files.readAllLines(README).stream()
                .filter(line -> line.startsWith("| " + feature.title() + " |"))
                .toList();
        assertThat(rows).as("rows of %s in driver-igb/README.md", feature).hasSize(1);
        List<String> cells =
                Stream.of(rows.getFirst().split("\\|", -1)).map(String::strip).toList();
        List<String> known = new ArrayList<>(
                COLUMNS.stream().map(model -> cell(feature, model)).toList());
        known.add(1, cell(feature.evidenceOfVirtualFunction()));
        assertThat(cells.subList(2, 7)).as(feature.title()).isEqualTo(known);
        assertThat(cells.get(7)).as("a test that shows it").containsPattern(TEST);
    }

    @Test
    void hasNoRowOfWhatTheDriverDoesNotKnow() throws IOException {
        long rows = Files.readAllLines(README).stream()
                .filter(line -> line.matches("\\| [^|]+ \\| (QEMU|table|–) \\|.*"))
                .count();
        assertThat(rows).isEqualTo(IgbFeature.values().length);
    }

    @ParameterizedTest
    @EnumSource
    void neverSaysOfAModelThatQemuHasNotThatAnythingIsProved(IgbModel model) {
        boolean modelled = model.equals(IgbModel.I82576);
        assertThat(IgbFeature.of(model))
                .isNotEmpty()
                .anySatisfy(feature -> assertThat(feature.evidence().equals(DriverFeature.Evidence.PROVED))
                        .isEqualTo(modelled));
        if (!modelled) {
            assertThat(IgbFeature.of(model))
                    .allMatch(feature -> feature.evidence().equals(DriverFeature.Evidence.BY_TABLE));
        }
    }
}
