package io.doorbell.igb;

import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.Practice;
import io.doorbell.pci.Bar;
import io.doorbell.pci.PciId;
import io.doorbell.pci.simulated.MemoryFunction;
import java.util.ArrayList;
import java.util.List;

/** An igb to practise on: its registers are memory, and its device is where the two rings are. */
final class IgbPractice {

    private static final PciId ID = new PciId(0x8086, 0x10c9);
    private static final MacAddress STATION = new MacAddress(0x0200_0000_0002L);

    private IgbPractice() {}

    static Practice open(NicConfig config) {
        MemoryFunction function = new MemoryFunction(ID);
        Setup setup = new Setup(function);
        IgbNic nic = IgbNic.open("practice", function, IgbModel.I82576, config, _ -> setup);
        return new Practice(nic, new byte[0], setup.receivers, setup.transmitters);
    }

    /** Sets up nothing but the played rings: there is no device that would answer. */
    private static final class Setup extends IgbSetup {

        private final MemoryFunction function;
        private final List<PlayedIgbRing> receivers = new ArrayList<>();
        private final List<PlayedIgbRing> transmitters = new ArrayList<>();

        Setup(MemoryFunction function) {
            super(new RegisterFile("practice", function.bar(0)));
            this.function = function;
        }

        @Override
        void takeOver() {}

        @Override
        void reset() {
            receivers.clear();
            transmitters.clear();
        }

        @Override
        void configure() {}

        @Override
        void setUpLink() {}

        @Override
        void setUpReceive(long ring, int descriptors, int bytesPerBuffer, boolean promiscuous) {
            receivers.add(played(ring, descriptors, IgbRegisters.RDT.at(0), true));
        }

        @Override
        void setUpTransmit(long ring, int descriptors) {
            transmitters.add(played(ring, descriptors, IgbRegisters.TDT.at(0), false));
        }

        private PlayedIgbRing played(long ring, int descriptors, int tailRegister, boolean receives) {
            Bar bar = function.bar(0);
            bar.write32(tailRegister, 0);
            return new PlayedIgbRing(function.dma().at(ring), descriptors, bar, tailRegister, receives);
        }

        @Override
        void shutDown() {}

        @Override
        MacAddress macAddress() {
            return STATION;
        }

        @Override
        LinkState linkState() {
            return new LinkState(true, 1000, true);
        }
    }
}
