package io.doorbell.virtio.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.pci.Bar;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a device claims about the places of its structures, against BARs of 0x1000 bytes. */
class VirtioCapabilityTest {

    private static final long BAR_SIZE = 0x1000;

    private final ByteBuffer config = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    private final PciFunction function = new Function();
    private int next = 0x40;

    VirtioCapabilityTest() {
        config.putShort(ConfigSpace.STATUS, (short) 0x10);
        config.put(ConfigSpace.CAPABILITIES_POINTER, (byte) next);
    }

    private void add(int type, int bar, long offset, long length) {
        config.put(next, (byte) 9);
        config.put(next + 1, (byte) (next + 20));
        config.put(next + 3, (byte) type);
        config.put(next + 4, (byte) bar);
        config.putInt(next + 8, (int) offset);
        config.putInt(next + 12, (int) length);
        next += 20;
    }

    @Test
    void takesTheFirstStructureThatIsInABar() {
        add(VirtioCapability.COMMON, 7, 0, 64);
        add(VirtioCapability.NOTIFY, 4, 0, 64);
        add(VirtioCapability.COMMON, 4, 0x100, 64);
        add(VirtioCapability.COMMON, 2, 0x200, 64);
        VirtioCapability found = VirtioCapability.require(function, VirtioCapability.COMMON, "common", 56);
        assertThat(found.number()).isEqualTo(4);
        assertThat(found.offset()).isEqualTo(0x100);
        assertThat(found.length()).isEqualTo(64);
    }

    @ParameterizedTest
    @CsvSource({
        "0x1000, 64",
        "0xfff, 56",
        "0xfd0, 64",
        "0, 0x1001",
        "0xffffffff, 64",
        "0, 0xffffffff",
        "0x100, 55",
        "0, 0"
    })
    void refusesAStructureThatIsTooSmallOrReachesOutOfItsBar(String offset, String length) {
        add(VirtioCapability.COMMON, 4, Long.decode(offset), Long.decode(length));
        assertThatThrownBy(() -> VirtioCapability.find(function, VirtioCapability.COMMON, 56))
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("claims " + Long.decode(length) + " bytes at 0x"
                        + Long.toHexString(Long.decode(offset)) + " of BAR 4")
                .hasMessageContaining("at least 56")
                .hasMessageContaining("4096 bytes");
    }

    @Test
    void saysWhatIsMissing() {
        assertThatThrownBy(() -> new ModernPciTransport(function))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("no virtio capability for its common configuration")
                .hasMessageContaining("1af4:1041");
    }

    @Test
    void refusesANotificationCapabilityWithoutRoomForItsMultiplier() {
        next = 0xf0;
        config.put(ConfigSpace.CAPABILITIES_POINTER, (byte) next);
        config.put(next, (byte) 9);
        config.put(next + 3, (byte) VirtioCapability.NOTIFY);
        config.putInt(next + 12, 64);
        VirtioCapability found = VirtioCapability.require(function, VirtioCapability.NOTIFY, "notifications", 2);
        assertThatThrownBy(() -> found.notifyMultiplier(function))
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("0xf0 reaches out");
    }

    private final class Function implements PciFunction {

        @Override
        public PciAddress address() {
            return new PciAddress(0, 0, 4, 0);
        }

        @Override
        public PciId id() {
            return new PciId(0x1af4, 0x1041);
        }

        @Override
        public ConfigSpace config() {
            return new ByteConfigSpace();
        }

        @Override
        public Bar bar(int number) {
            return new EmptyBar();
        }

        @Override
        public DmaSpace dma() {
            throw new UnsupportedOperationException();
        }

        @Override
        public InterruptInfo interrupts() {
            return new InterruptInfo(0, 0, 0);
        }

        @Override
        public boolean reset() {
            return false;
        }

        @Override
        public void close() {}
    }

    private final class ByteConfigSpace extends ConfigSpace {

        @Override
        public int size() {
            return config.capacity();
        }

        @Override
        public int read8(int offset) {
            return config.get(offset) & 0xff;
        }

        @Override
        public int read16(int offset) {
            return config.getShort(offset) & 0xffff;
        }

        @Override
        public int read32(int offset) {
            return config.getInt(offset);
        }

        @Override
        public void write8(int offset, int value) {
            config.put(offset, (byte) value);
        }

        @Override
        public void write16(int offset, int value) {
            config.putShort(offset, (short) value);
        }

        @Override
        public void write32(int offset, int value) {
            config.putInt(offset, value);
        }
    }

    private static final class EmptyBar extends Bar {

        @Override
        public long size() {
            return BAR_SIZE;
        }

        @Override
        public int read8(long offset) {
            return 0;
        }

        @Override
        public int read16(long offset) {
            return 0;
        }

        @Override
        public int read32(long offset) {
            return 0;
        }

        @Override
        public void write8(long offset, int value) {}

        @Override
        public void write16(long offset, int value) {}

        @Override
        public void write32(long offset, int value) {}
    }
}
