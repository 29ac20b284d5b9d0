package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The last words of {@code ./verify}, with a Maven that does nothing but leave reports. */
class VerifyTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final String REPORT = """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuite name="io.doorbell.AnIT" tests="5">
              <testcase name="works" classname="io.doorbell.AnIT" time="0.1"/>
              <testcase name="works[packed]" classname="io.doorbell.AnIT" time="0.1">
                <flakyError message="no answer &lt;60 s&gt;&#10;Console:" type="java.lang.IllegalStateException">
                  <stackTrace><![CDATA[at io.doorbell.AnIT]]></stackTrace>
                </flakyError>
              </testcase>
              <testcase name="needsDpdk" classname="io.doorbell.AnIT" time="0">
                <skipped message="Assumption failed: SKIPPED: there is no dpdk-testpmd here"/>
              </testcase>
              <testcase name="isNotForThisRing" classname="io.doorbell.AnIT" time="0">
                <skipped/>
              </testcase>
            """;

    private static final String FAILURE = """
              <testcase name="fails" classname="io.doorbell.AnIT" time="0.1">
                <failure message="expected: 1" type="java.lang.AssertionError"><![CDATA[at io.doorbell.AnIT]]></failure>
                <rerunFailure message="expected: 1" type="java.lang.AssertionError">
                </rerunFailure>
              </testcase>
            """;

    @TempDir
    private Path folder;

    private Path home;
    private String printed = "";

    @BeforeEach
    void copyTree() throws Exception {
        home = Files.createDirectories(folder.resolve("a tree"));
        Files.createDirectories(home.resolve("tools/target/failsafe-reports"));
        for (String name : new String[] {"verify", "tools/setup.sh"}) {
            Files.copy(ROOT.resolve(name), home.resolve(name));
        }
    }

    private int verify(String report, int status, String... arguments) throws Exception {
        Path reports = home.resolve("tools/target/failsafe-reports");
        Files.writeString(reports.resolve("TEST-of-another-run.xml"), REPORT + FAILURE);
        Files.setLastModifiedTime(reports.resolve("TEST-of-another-run.xml"), FileTime.fromMillis(0));
        Path prepared = Files.writeString(home.resolve("prepared.xml"), report + "</testsuite>\n");
        Path maven = Files.writeString(
                Files.createDirectories(folder.resolve("bin")).resolve("mvn"),
                "#!/bin/sh\necho \"mvn $*\"\nsleep 0.1\ncp '" + prepared + "' '" + reports
                        + "/TEST-io.doorbell.AnIT.xml'\nexit " + status + "\n");
        Files.setPosixFilePermissions(maven, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path output = folder.resolve("output.txt");
        ProcessBuilder builder = new ProcessBuilder(home.resolve("verify").toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.command().addAll(List.of(arguments));
        builder.environment().put("PATH", maven.getParent() + ":" + System.getenv("PATH"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        try {
            assertThat(process.waitFor(1, TimeUnit.MINUTES))
                    .as("it ends in time")
                    .isTrue();
            printed = Files.readString(output);
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void saysWhichTestPassedOnlyWhenItWasRunAgain() throws Exception {
        assertThat(verify(REPORT, 0, "-DskipTests")).as(printed).isZero();

        assertThat(printed)
                .contains("verify: passed after 0 min")
                .contains("verify: 4 tests, 0 failed, 2 skipped\n")
                .contains("failed, and passed when it was run again: io.doorbell.AnIT.works[packed] (no answer <60 s>)")
                .contains("skipped 1: there is no dpdk-testpmd here\n")
                .doesNotContain("Console");
    }

    @Test
    void saysWhatFailedAndFailsAsMavenDoes() throws Exception {
        assertThat(verify(REPORT + FAILURE, 3, "-DskipTests")).as(printed).isEqualTo(3);

        assertThat(printed)
                .contains("verify: failed after 0 min")
                .contains("verify: 5 tests, 1 failed, 2 skipped\n")
                .contains("failed: io.doorbell.AnIT.fails\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"clean", "spotless:apply", "test-compile -pl frame -am"})
    void asksForNoLabWhereNothingIsTested(String line) throws Exception {
        Path asked = folder.resolve("asked");
        Path qemu = Files.writeString(
                Files.createDirectories(folder.resolve("bin")).resolve("qemu-system-x86_64"),
                "#!/bin/sh\n: >'" + asked + "'\n");
        Files.setPosixFilePermissions(qemu, PosixFilePermissions.fromString("rwxr-xr-x"));

        assertThat(verify(REPORT, 0, line.split(" "))).as(printed).isZero();

        assertThat(printed).contains("mvn -B -ntp " + line);
        assertThat(asked).doesNotExist();
    }

    /** Here there is no QEMU, nor a Debian that could install one, so that it ends with that. */
    @ParameterizedTest
    @ValueSource(strings = {"verify", "-pl frame", "clean install", "surefire:test", "-DskipTests -DskipITs=false"})
    void asksForTheLabWhereSomethingIsTested(String line) throws Exception {
        Path programs = Files.createDirectories(folder.resolve("bin"));
        for (String name : List.of("qemu-system-x86_64", "dpkg")) {
            Path program = Files.writeString(programs.resolve(name), "#!/bin/sh\nexit 1\n");
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        }

        assertThat(verify(REPORT, 0, line.split(" "))).as(printed).isEqualTo(1);

        assertThat(printed).contains("needs what is not here", "QEMU 8.0").doesNotContain("mvn -B");
    }

    @Test
    void givesMavenTheGoalAndTheProfile() throws Exception {
        verify(REPORT, 0, "--fast", "-pl", "frame");
        assertThat(printed).contains("mvn -B -ntp test -Pfast -pl frame -T 1C\n");

        verify(REPORT, 0, "install", "-DskipTests");
        assertThat(printed).contains("mvn -B -ntp install -DskipTests -T 1C\n");
    }
}
