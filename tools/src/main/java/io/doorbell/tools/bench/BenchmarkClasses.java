package io.doorbell.tools.bench;

import io.doorbell.DoorbellException;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Benchmarks that are test code, so that nicctl need not know what they are built upon: JMH, or a library that Doorbell is
 * compared with.
 */
final class BenchmarkClasses {

    private BenchmarkClasses() {}

    /**
     * A class path that has them.
     *
     * @param file what is looked for among them, such as {@code META-INF/BenchmarkList}
     */
    static String classPath(String file) {
        String own = System.getProperty("java.class.path");
        if (ClassLoader.getSystemResource(file) != null) {
            return own;
        }
        Path classes = Path.of(System.getProperty("doorbell.home", "."), "tools", "target", "test-classes");
        if (!Files.exists(classes.resolve(file))) {
            throw new DoorbellException(file + " is not in " + classes
                    + ": build Doorbell with ./nicctl or ./verify, which compile its tests too");
        }
        return own + File.pathSeparator + classes;
    }
}
