package io.doorbell.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A class is public because a module exports its package to everybody, or because another package of ours needs it. */
class PublicClassesTest {

    private static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();
    private static final Pattern EXPORT = Pattern.compile("exports ([\\w.]+);");
    private static final Pattern PACKAGE = Pattern.compile("^package ([\\w.]+);", Pattern.MULTILINE);
    private static final Pattern PUBLIC =
            Pattern.compile("^public [\\w ]*\\b(?:class|interface|record|enum) (\\w+)", Pattern.MULTILINE);

    /** By the sources, since a constant's name is not in the class file of who uses it. */
    private record Source(Path file, String text, String folder) {

        /** Whether this is about a class of another package: its code, a module's descriptor, or a list of services. */
        boolean names(String type) {
            return !type.substring(0, type.lastIndexOf('.')).equals(folder)
                    && Pattern.compile("\\b" + Pattern.quote(type) + "\\b")
                            .matcher(text)
                            .find();
        }
    }

    @Test
    void areUsedByAnotherPackageUnlessTheyAreExported() throws IOException {
        List<Source> sources = sources();
        Set<String> exported = sources.stream()
                .filter(source -> source.file().endsWith("module-info.java"))
                .flatMap(source -> EXPORT.matcher(source.text()).results())
                .map(match -> match.group(1))
                .collect(Collectors.toSet());
        List<String> strays = new ArrayList<>();
        for (Source source : sources) {
            String type = source.folder() + "."
                    + PUBLIC.matcher(source.text())
                            .results()
                            .map(it -> it.group(1))
                            .findFirst()
                            .orElse("");
            if (source.file().toString().contains("/src/main/java/")
                    && !type.endsWith(".")
                    && !exported.contains(source.folder())
                    && !source.text().contains("static void main(") // a program is for whoever starts it
                    && sources.stream().noneMatch(other -> other.names(type))) {
                strays.add(type);
            }
        }

        assertThat(exported).contains("io.doorbell.frame", "io.doorbell.qemu");
        assertThat(strays).isEmpty();
    }

    private static List<Source> sources() throws IOException {
        List<Source> sources = new ArrayList<>();
        try (Stream<Path> files = Files.find(ROOT, 20, (path, is) -> isSource(path))) {
            for (Path file : files.toList()) {
                String text = Files.readString(file);
                String folder = PACKAGE.matcher(text)
                        .results()
                        .map((MatchResult it) -> it.group(1))
                        .findFirst()
                        .orElse("");
                sources.add(new Source(file, text, folder));
            }
        }
        return sources;
    }

    private static boolean isSource(Path path) {
        String name = ROOT.relativize(path).toString();
        return name.matches(".*src/(main|test)/java/.*\\.java|.*src/main/resources/META-INF/services/.*[^/]");
    }
}
