package io.doorbell.pci;

import java.util.Map;

/**
 * One entry of a function's capability lists.
 *
 * @param id the capability id, of 8 bits, or 16 if extended
 * @param extended whether it is on the extended list of PCI Express
 * @param version of an extended capability; else 0
 * @param offset where it starts in configuration space, in bytes
 */
public record Capability(int id, boolean extended, int version, int offset) {

    public static final int POWER_MANAGEMENT = 0x01;
    public static final int MSI = 0x05;
    public static final int VENDOR_SPECIFIC = 0x09;
    public static final int PCI_EXPRESS = 0x10;
    public static final int MSI_X = 0x11;

    private static final Map<Integer, String> STANDARD = Map.ofEntries(
            Map.entry(POWER_MANAGEMENT, "Power Management"),
            Map.entry(0x02, "AGP"),
            Map.entry(0x03, "Vital Product Data"),
            Map.entry(0x04, "Slot Identification"),
            Map.entry(MSI, "MSI"),
            Map.entry(0x07, "PCI-X"),
            Map.entry(VENDOR_SPECIFIC, "Vendor Specific"),
            Map.entry(0x0d, "Subsystem Vendor ID"),
            Map.entry(PCI_EXPRESS, "PCI Express"),
            Map.entry(MSI_X, "MSI-X"),
            Map.entry(0x12, "SATA"),
            Map.entry(0x13, "Advanced Features"));

    private static final Map<Integer, String> EXTENDED = Map.ofEntries(
            Map.entry(0x01, "Advanced Error Reporting"),
            Map.entry(0x02, "Virtual Channel"),
            Map.entry(0x03, "Device Serial Number"),
            Map.entry(0x04, "Power Budgeting"),
            Map.entry(0x0b, "Vendor Specific"),
            Map.entry(0x0d, "Access Control Services"),
            Map.entry(0x0e, "Alternative Routing-ID"),
            Map.entry(0x0f, "Address Translation Services"),
            Map.entry(0x10, "SR-IOV"),
            Map.entry(0x13, "Page Request Interface"),
            Map.entry(0x15, "Resizable BAR"),
            Map.entry(0x17, "TPH Requester"),
            Map.entry(0x18, "Latency Tolerance Reporting"),
            Map.entry(0x19, "Secondary PCI Express"),
            Map.entry(0x1b, "Process Address Space ID"),
            Map.entry(0x1f, "Precision Time Measurement"));

    /** The specification's name for it, or its number where it is not a common one. */
    public String name() {
        return (extended ? EXTENDED : STANDARD).getOrDefault(id, String.format("capability 0x%02x", id));
    }
}
