package io.doorbell.tools.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.Nic;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicOption;
import io.doorbell.frame.NicProvider;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciNames;
import io.doorbell.tools.text.CapturedConsole;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NicNamesTest {

    private static final String ADDRESS = "0000:01:00.0";

    @TempDir
    private Path root;

    private PciDevice nic;

    @BeforeEach
    void plugIn() throws Exception {
        Context context = new FakeSysfs(root).igb(ADDRESS, "igb").context(new CapturedConsole());
        nic = context.nic(ADDRESS);
    }

    @Test
    void areThoseOfTheMachineIfItHasAny() throws Exception {
        Path ids = Files.createDirectories(root.resolve("usr/share/misc")).resolve("pci.ids");
        Files.writeString(ids, "8086  Intel Corporation\n\t10c9  82576 Gigabit Network Connection\n");

        assertThat(names(new Driver()).of(nic)).isEqualTo("Intel Corporation 82576 Gigabit Network Connection");
    }

    @Test
    void areThoseOfTheDriverOtherwise() {
        assertThat(names(new Driver()).of(nic)).isEqualTo("Intel 82576");
    }

    @Test
    void areNoneWhereNobodyKnows() {
        assertThat(names().of(nic)).isEmpty();
    }

    private NicNames names(NicProvider... providers) {
        return new NicNames(PciNames.under(root), List.of(providers));
    }

    private static final class Driver implements NicProvider {

        @Override
        public String driver() {
            return "igb";
        }

        @Override
        public String supports() {
            return "one NIC";
        }

        @Override
        public Optional<NicCandidate> find(String name) {
            return name.equals(ADDRESS) ? Optional.of(new Candidate()) : Optional.empty();
        }
    }

    private static final class Candidate implements NicCandidate {

        @Override
        public String name() {
            return ADDRESS;
        }

        @Override
        public String driver() {
            return "igb";
        }

        @Override
        public String model() {
            return "Intel 82576";
        }

        @Override
        public Set<NicOption<?>> supportedOptions() {
            return Set.of();
        }

        @Override
        public Nic take(NicConfig config) {
            throw new UnsupportedOperationException("a name is all that this test is about");
        }
    }
}
