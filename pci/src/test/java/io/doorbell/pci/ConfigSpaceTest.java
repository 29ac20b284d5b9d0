package io.doorbell.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class ConfigSpaceTest {

    private final Bytes config = new Bytes(4096);

    @Test
    void walksTheStandardListAndThenTheExtendedOne() {
        config.write16(0x06, 0x0010); // STATUS: there is a list
        config.write8(0x34, 0x43); // the two low bits are reserved
        config.write16(0x40, 0x7001);
        config.write16(0x70, 0xa011);
        config.write16(0xa0, 0x0010);
        config.write32(0x100, 0x1402_0001);
        config.write32(0x140, 0x0001_0003);

        assertThat(config.capabilities())
                .containsExactly(
                        new Capability(Capability.POWER_MANAGEMENT, false, 0, 0x40),
                        new Capability(Capability.MSI_X, false, 0, 0x70),
                        new Capability(Capability.PCI_EXPRESS, false, 0, 0xa0),
                        new Capability(1, true, 2, 0x100),
                        new Capability(3, true, 1, 0x140));
        assertThat(config.capability(Capability.MSI_X)).map(Capability::offset).contains(0x70);
        assertThat(config.capability(3)).as("extended ids are another list's").isEmpty();
        assertThat(config.extendedCapability(3)).map(Capability::name).contains("Device Serial Number");
    }

    @Test
    void endsAWalkThatRunsInACircle() {
        config.write16(0x06, 0x0010);
        config.write8(0x34, 0x40);
        config.write16(0x40, 0x5001);
        config.write16(0x50, 0x4005);
        config.write32(0x100, 0x1001_0001);
        assertThat(config.capabilities()).hasSize(3);
    }

    @Test
    void findsNothingOnAFunctionThatIsGone() {
        Bytes gone = new Bytes(4096);
        for (int offset = 0; offset < 4096; offset += 4) {
            gone.write32(offset, -1);
        }
        assertThat(gone.capabilities()).isEmpty();
    }

    @Test
    void endsAWalkWhereTheSpaceDoes() {
        Bytes part = new Bytes(72);
        part.write16(0x06, 0x0010);
        part.write8(0x34, 0x40);
        part.write16(0x40, 0x5001);
        assertThat(part.capabilities()).hasSize(1);
    }

    @Test
    void walksNothingWhereTheStatusSaysThatThereIsNoList() {
        config.write8(0x34, 0x40);
        config.write16(0x40, 0x0001);
        assertThat(new Bytes(256).capabilities()).isEmpty();
        assertThat(config.capabilities()).isEmpty();
    }

    @Test
    void switchesBusMasteringAndNothingElse() {
        config.write16(ConfigSpace.COMMAND, 0x0402);
        config.busMaster(true);
        assertThat(config.read16(ConfigSpace.COMMAND)).isEqualTo(0x0406);
        config.busMaster(false);
        assertThat(config.read16(ConfigSpace.COMMAND)).isEqualTo(0x0402);
    }

    private static final class Bytes extends ConfigSpace {

        private final ByteBuffer bytes;

        Bytes(int size) {
            bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public int size() {
            return bytes.capacity();
        }

        @Override
        public int read8(int offset) {
            return bytes.get(offset) & 0xff;
        }

        @Override
        public int read16(int offset) {
            return bytes.getShort(offset) & 0xffff;
        }

        @Override
        public int read32(int offset) {
            return bytes.getInt(offset);
        }

        @Override
        public void write8(int offset, int value) {
            bytes.put(offset, (byte) value);
        }

        @Override
        public void write16(int offset, int value) {
            bytes.putShort(offset, (short) value);
        }

        @Override
        public void write32(int offset, int value) {
            bytes.putInt(offset, value);
        }
    }
}
