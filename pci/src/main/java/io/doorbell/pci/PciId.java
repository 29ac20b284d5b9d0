package io.doorbell.pci;

/**
 * What a PCI function is, written as {@code lspci -n} writes it: {@code 8086:10c9}.
 *
 * @param vendor 16 bits
 * @param device 16 bits
 */
public record PciId(int vendor, int device) {

    @Override
    public String toString() {
        return String.format("%04x:%04x", vendor, device);
    }
}
