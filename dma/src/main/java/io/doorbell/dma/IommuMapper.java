package io.doorbell.dma;

import java.util.List;

/** What a {@link DmaSpace} asks of an IOMMU: VFIO implements it. Addresses and sizes are in bytes, page-aligned. */
public interface IommuMapper {

    /** Device addresses, both ends inclusive, unsigned. */
    record IovaRange(long first, long last) {

        public IovaRange {
            if (Long.compareUnsigned(first, last) > 0) {
                throw new IllegalArgumentException("an IOVA range that ends before it starts: first=0x"
                        + Long.toHexString(first) + " last=0x" + Long.toHexString(last));
            }
        }

        @Override
        public String toString() {
            return String.format("0x%x-0x%x", first, last);
        }
    }

    /** The device addresses that may be mapped, ascending: reserved areas and the IOMMU's address width left out. */
    List<IovaRange> permitted();

    /** The smallest page that the IOMMU maps, in bytes. */
    long pageSize();

    /** Pins {@code size} bytes at {@code address} and lets the device reach them at {@code iova}. */
    void map(long iova, long address, long size);

    /** Takes them back; nothing that the device does can reach them when it returns. */
    void unmap(long iova, long size);
}
