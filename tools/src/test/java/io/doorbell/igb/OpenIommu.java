package io.doorbell.igb;

import io.doorbell.dma.IommuMapper;
import java.util.List;

/** An IOMMU with nothing behind it. */
final class OpenIommu implements IommuMapper {

    @Override
    public List<IovaRange> permitted() {
        return List.of(new IovaRange(1 << 20, (1L << 39) - 1));
    }

    @Override
    public long pageSize() {
        return 4096;
    }

    @Override
    public void map(long iova, long address, long size) {
        // There is no device that could tell.
    }

    @Override
    public void unmap(long iova, long size) {
        // See map.
    }
}
