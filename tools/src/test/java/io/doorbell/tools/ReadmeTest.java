package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the documents show and point to is there. */
class ReadmeTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern LINK = Pattern.compile("]\\((?!https?:)([^)#]+)");

    private static final Pattern TEST = Pattern.compile("\\[`(\\w+)\\.(\\w+)`]\\((\\S+)\\.java\\)");

    private static String readme() throws IOException {
        return Files.readString(ROOT.resolve("README.md"));
    }

    /** The documents of the whole and of the modules. */
    static List<Path> readmes() throws IOException {
        try (Stream<Path> files =
                Files.find(ROOT, 2, (path, is) -> path.toString().endsWith(".md"))) {
            return files.toList();
        }
    }

    @Test
    void showsExamplesThatCompile(@TempDir Path classes) throws IOException {
        List<String> examples =
                JAVA.matcher(readme()).results().map(match -> match.group(1)).toList();
        assertThat(examples).isNotEmpty();
        for (String example : examples) {
            assertThat(errors(example, classes)).as(example).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("readmes")
    void linksOnlyToWhatIsThere(Path readme) throws IOException {
        assertThat(LINK.matcher(Files.readString(readme)).results())
                .allSatisfy(
                        link -> assertThat(readme.resolveSibling(link.group(1))).exists());
    }

    @Test
    void findsTheReadmesOfTheModulesToo() throws IOException {
        assertThat(readmes())
                .contains(
                        ROOT.resolve("README.md"),
                        ROOT.resolve("driver-igb/README.md"),
                        ROOT.resolve("driver-virtio/README.md"),
                        ROOT.resolve("ARCHITECTURE.md"));
    }

    /** Where a test is linked as {@code Class.method}, the file is that class's and has that method. */
    @ParameterizedTest
    @MethodSource("readmes")
    void namesOnlyTestsThatThereAre(Path readme) throws IOException {
        for (MatchResult link : TEST.matcher(Files.readString(readme)).results().toList()) {
            Path source = readme.resolveSibling(link.group(3) + ".java");
            assertThat(source).hasFileName(link.group(1) + ".java");
            assertThat(Files.readString(source)).as("%s", source).contains(" " + link.group(2) + "(");
        }
    }

    private static List<String> errors(String source, Path classes) {
        JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        JavaFileObject file =
                new SimpleJavaFileObject(URI.create("string:///Example.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        List<String> options = List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path"));
        javac.getTask(null, null, found, options, null, List.of(file)).call();
        return found.getDiagnostics().stream()
                .filter(diagnostic -> diagnostic.getKind() == Diagnostic.Kind.ERROR)
                .map(Diagnostic::toString)
                .toList();
    }
}
