package io.doorbell.igb.warmup;

import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.warmup.SimulatedNic;
import io.doorbell.igb.nic.IgbNic;
import io.doorbell.igb.nic.IgbSetup;
import io.doorbell.igb.nvm.IgbNvm;
import io.doorbell.igb.ring.RxFormat;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.Bar;
import io.doorbell.pci.Capability;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.PciId;
import io.doorbell.pci.simulated.MemoryFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A simulated igb: its registers are memory, and its device is where the two rings are. */
public final class SimulatedIgb {

    private static final PciId ID = new PciId(0x8086, 0x10c9);
    private static final MacAddress STATION = new MacAddress(0x0200_0000_0002L);

    private SimulatedIgb() {}

    public static SimulatedNic open(NicConfig config) {
        MemoryFunction function = new MemoryFunction(ID);
        Setup setup = new Setup(function);
        IgbNic nic = IgbNic.open("simulated", function, IgbModel.I82576, config, _ -> setup);
        return new SimulatedNic(nic, new byte[0], setup.receivers, setup.transmitters);
    }

    /** Sets up nothing but the simulated rings: there is no device that would answer. */
    private static final class Setup extends IgbSetup {

        private final MemoryFunction function;
        private final List<SimulatedIgbRing> receivers = new ArrayList<>();
        private final List<SimulatedIgbRing> transmitters = new ArrayList<>();

        Setup(MemoryFunction function) {
            super(new RegisterFile("simulated", function.bar(0)), IgbModel.I82576);
            this.function = function;
        }

        @Override
        public void takeOver() {}

        @Override
        public void reset() {
            receivers.clear();
            transmitters.clear();
        }

        @Override
        public void setUpBus(ConfigSpace config, Optional<Capability> express) {}

        @Override
        public void configure() {}

        @Override
        public void setUpLink() {}

        @Override
        public void setUpReceivers(RxFormat format) {}

        @Override
        public void setUpReceive(int queue, long ring, int descriptors, int bytesPerBuffer) {
            receivers.add(simulated(ring, descriptors, IgbRegisters.RDT.at(queue), true));
        }

        @Override
        public void setUpTransmit(int queue, long ring, int descriptors) {
            transmitters.add(simulated(ring, descriptors, IgbRegisters.TDT.at(queue), false));
        }

        private SimulatedIgbRing simulated(long ring, int descriptors, int tailRegister, boolean receives) {
            Bar bar = function.bar(0);
            bar.write32(tailRegister, 0);
            return new SimulatedIgbRing(function.dma().at(ring), descriptors, bar, tailRegister, receives);
        }

        @Override
        public void shutDown(int queues) {}

        @Override
        public Optional<MacAddress> alternateAddress(IgbNvm nvm) {
            return Optional.empty();
        }

        @Override
        public MacAddress macAddress() {
            return STATION;
        }

        @Override
        public boolean hasLink() {
            return true;
        }

        @Override
        public void dropWhenFull(int queues) {}

        @Override
        public LinkState linkState() {
            return new LinkState(true, 1000, true);
        }
    }
}
