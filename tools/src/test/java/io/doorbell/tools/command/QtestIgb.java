package io.doorbell.tools.command;

import io.doorbell.frame.Nic;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicOption;
import io.doorbell.frame.NicProvider;
import io.doorbell.igb.nic.IgbNic;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.pci.PciFunction;
import java.util.Optional;
import java.util.Set;

/**
 * QEMU's igb, without a guest, as the NIC that is called {@code qtest}.
 *
 * @param function taken at the next opening, once
 */
record QtestIgb(PciFunction function) implements NicProvider {

    @Override
    public String driver() {
        return "igb";
    }

    @Override
    public String supports() {
        return "qtest";
    }

    @Override
    public Optional<NicCandidate> find(String name) {
        return name.equals("qtest") ? Optional.of(new Candidate(function)) : Optional.empty();
    }

    private record Candidate(PciFunction function) implements NicCandidate {

        @Override
        public String name() {
            return "qtest";
        }

        @Override
        public String driver() {
            return "igb";
        }

        @Override
        public String model() {
            return IgbModel.I82576.toString();
        }

        @Override
        public Set<NicOption<?>> supportedOptions() {
            return IgbNic.OPTIONS;
        }

        @Override
        public Nic take(NicConfig config) {
            return IgbNic.open(name(), function, IgbModel.I82576, config);
        }
    }
}
