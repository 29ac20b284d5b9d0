package io.doorbell.pci.region;

import io.doorbell.pci.ConfigSpace;

/** Configuration space as the kernel shows it, which may guard dangerous bits of it. */
public final class RegionConfigSpace extends ConfigSpace {

    private final RegionFile file;

    /** Over a file that stays the caller's. */
    public RegionConfigSpace(RegionFile file) {
        this.file = file;
    }

    @Override
    public int size() {
        return Math.toIntExact(file.size());
    }

    @Override
    public int read8(int offset) {
        return file.read(offset, 1);
    }

    @Override
    public int read16(int offset) {
        return file.read(offset, 2);
    }

    @Override
    public int read32(int offset) {
        return file.read(offset, 4);
    }

    @Override
    public void write8(int offset, int value) {
        file.write(offset, 1, value);
    }

    @Override
    public void write16(int offset, int value) {
        file.write(offset, 2, value);
    }

    @Override
    public void write32(int offset, int value) {
        file.write(offset, 4, value);
    }
}
