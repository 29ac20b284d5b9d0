package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.spi.BoundedWait;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Applications as README has them started: a module among modules, and an executable jar. Nothing is warned of. */
class ApplicationIT {

    private static final Path LIB = Path.of("target/lib").toAbsolutePath();
    private static final Path JAVA_HOME = Path.of(System.getProperty("java.home"));

    private static final String NATIVE_ACCESS = "--enable-native-access=io.doorbell.dma,org.jnrproject.jffi";

    private static final String MODULE = """
            module application {
                requires io.doorbell.frame;
            }
            """;

    /** Two NICs with shared memory between them. */
    private static final String MAIN = """
            package application;

            import io.doorbell.frame.*;
            import java.time.Duration;

            public class Main {
                public static void main(String[] arguments) {
                    try (Nic back = Nic.open("vhost-user-backend:" + arguments[0]);
                            Nic front = Nic.open("vhost-user:" + arguments[0])) {
                        back.awaitLink(Duration.ofSeconds(30));
                        FrameBatch batch = new FrameBatch(1);
                        front.rxQueue(0).pool().allocate(batch, 1);
                        batch.frame(0).length(60);
                        front.txQueue(0).send(batch);
                        while (back.rxQueue(0).receive(batch) == 0) {
                            Thread.onSpinWait();
                        }
                        System.out.println("received " + batch.frame(0).length() + " bytes in "
                                + Main.class.getModule() + ", from " + Nic.class.getModule());
                        batch.release();
                    }
                }
            }
            """;

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    private Path folder;

    @Test
    void anApplicationWithAModuleDescriptorExchangesAFrame() throws Exception {
        Path classes = compile();
        String path = Stream.concat(jars().stream(), Stream.of(classes))
                .map(Path::toString)
                .collect(Collectors.joining(":"));

        String printed =
                run("java", NATIVE_ACCESS, "--module-path", path, "--module", "application/application.Main", socket());

        assertThat(printed).isEqualTo("received 60 bytes in module application, from module io.doorbell.frame\n");
    }

    @Test
    void anExecutableJarExchangesAFrame() throws Exception {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().putValue("Manifest-Version", "1.0");
        manifest.getMainAttributes().putValue("Main-Class", "application.Main");
        manifest.getMainAttributes().putValue("Enable-Native-Access", "ALL-UNNAMED");
        manifest.getMainAttributes()
                .putValue(
                        "Class-Path",
                        jars().stream().map(jar -> jar.toUri().toString()).collect(Collectors.joining(" ")));
        Path jar = folder.resolve("application.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            out.putNextEntry(new JarEntry("application/Main.class"));
            out.write(Files.readAllBytes(compile().resolve("application/Main.class")));
        }

        String printed = run("java", "-jar", jar.toString(), socket());

        assertThat(printed).startsWith("received 60 bytes in unnamed module");
    }

    /** The file is there before anybody listens: a fresh JVM takes its time between bind and listen. */
    private boolean isListening() {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket()));
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void theExampleOfTheReadmeClosesItsNicOnCtrlC() throws Exception {
        String readme = Files.readString(Path.of("../README.md"));
        int start = readme.indexOf("```java\n") + "```java\n".length();
        Path source = Files.writeString(
                folder.resolve("Reflector.java"), readme.substring(start, readme.indexOf("```", start)));
        String path = jars().stream().map(Path::toString).collect(Collectors.joining(":"));
        run("javac", "-cp", path, "-d", folder.toString(), source.toString());
        Path output = folder.resolve("reflector.txt");
        Process reflector = new ProcessBuilder(
                        program("java"),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        path + ":" + folder,
                        "Reflector",
                        "vhost-user-backend:" + socket())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(BoundedWait.until(this::isListening, PATIENCE))
                    .as("it listens")
                    .isTrue();
            try (Nic front = Nic.open("vhost-user:" + socket())) {
                FrameBatch batch = new FrameBatch(1);
                front.rxQueue(0).pool().allocate(batch, 1);
                batch.frame(0).length(60);
                front.txQueue(0).send(batch);
                assertThat(BoundedWait.until(() -> front.rxQueue(0).receive(batch) > 0, PATIENCE))
                        .as("the frame comes back")
                        .isTrue();
                batch.release();

                reflector.destroy(); // runs shutdown hooks, as Ctrl-C does

                assertThat(reflector.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                        .as("it ends")
                        .isTrue();
            }
        } finally {
            reflector.destroyForcibly();
        }
        assertThat(reflector.exitValue()).isEqualTo(128 + 15);
        assertThat(Path.of(socket()))
                .as("what the NIC deletes when it is closed")
                .doesNotExist();
        assertThat(Files.readString(output)).doesNotContain("Exception");
    }

    private Path compile() throws Exception {
        Path source = Files.createDirectories(folder.resolve("source/application"));
        Path descriptor = Files.writeString(source.resolveSibling("module-info.java"), MODULE);
        Path main = Files.writeString(source.resolve("Main.java"), MAIN);
        Path classes = folder.resolve("classes");
        String path = jars().stream().map(Path::toString).collect(Collectors.joining(":"));
        run("javac", "--module-path", path, "-d", classes.toString(), descriptor.toString(), main.toString());
        return classes;
    }

    private String socket() {
        return folder.resolve("socket").toString();
    }

    /** Those that an application's build tool would put there: of Doorbell's, the API, a driver, and what they need. */
    private static List<Path> jars() throws IOException {
        List<String> names = List.of(
                "doorbell-dma-",
                "doorbell-pci-",
                "doorbell-frame-",
                "doorbell-driver-",
                "jnr-",
                "jffi-",
                "asm-",
                "jspecify-");
        try (Stream<Path> all = Files.list(LIB)) {
            return all.filter(jar -> names.stream().anyMatch(jar.getFileName().toString()::startsWith))
                    .toList();
        }
    }

    private static String program(String name) {
        return JAVA_HOME.resolve("bin").resolve(name).toString();
    }

    /** What a program of the JDK's prints, that is to succeed. */
    private String run(String program, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(program(program)));
        command.addAll(List.of(arguments));
        Path output = folder.resolve(program + ".txt");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS))
                    .as("%s ends in time", program)
                    .isTrue();
            String printed = Files.readString(output);
            assertThat(process.exitValue()).as(printed).isZero();
            return printed;
        } finally {
            process.destroyForcibly();
        }
    }
}
