package io.doorbell.tools.demo;

import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** What {@code nicctl demo} can show, by the names of Doorbell's drivers. */
public enum DemoNic {
    IGB("igb"),
    VIRTIO("virtio"),
    VHOST_USER("vhost-user");

    private final String driver;

    DemoNic(String driver) {
        this.driver = driver;
    }

    /** As it is written on the command line. */
    @Override
    public String toString() {
        return driver;
    }

    /** Picocli's own converter would offer the names of the constants too. */
    public static final class Converter implements ITypeConverter<DemoNic> {

        @Override
        public DemoNic convert(String word) {
            return Arrays.stream(values())
                    .filter(nic -> nic.driver.equals(word))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("there is no demo of '" + word + "', only of "
                            + Arrays.stream(values()).map(DemoNic::toString).collect(Collectors.joining(", "))));
        }
    }
}
