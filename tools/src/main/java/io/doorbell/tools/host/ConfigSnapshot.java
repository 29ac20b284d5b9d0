package io.doorbell.tools.host;

import io.doorbell.DoorbellException;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A function's configuration space as sysfs shows it, whoever drives the function. Who is not root sees the first 64
 * bytes, and no capabilities therefore.
 */
public final class ConfigSnapshot extends ConfigSpace {

    private static final int HEADER = 64;

    private final ByteBuffer bytes;

    private ConfigSnapshot(byte[] bytes) {
        this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    public static ConfigSnapshot of(PciBus bus, PciAddress address) {
        Path file = bus.root()
                .resolve("sys/bus/pci/devices")
                .resolve(address.toString())
                .resolve("config");
        try {
            return new ConfigSnapshot(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new DoorbellException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** Whether it goes beyond the header, to where capabilities are. */
    public boolean isComplete() {
        return bytes.capacity() > HEADER;
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
        throw readOnly();
    }

    @Override
    public void write16(int offset, int value) {
        throw readOnly();
    }

    @Override
    public void write32(int offset, int value) {
        throw readOnly();
    }

    private static UnsupportedOperationException readOnly() {
        return new UnsupportedOperationException("this is a copy of the configuration space");
    }
}
