package io.doorbell.pci;

import java.util.Map;

/** Names of class codes (PCI Code and ID Assignment Specification, 1). */
final class PciClass {

    private static final Map<Integer, String> BASE_CLASSES = Map.ofEntries(
            Map.entry(0x00, "device without a class"),
            Map.entry(0x01, "mass storage controller"),
            Map.entry(0x02, "network controller"),
            Map.entry(0x03, "display controller"),
            Map.entry(0x04, "multimedia device"),
            Map.entry(0x05, "memory controller"),
            Map.entry(0x06, "bridge"),
            Map.entry(0x07, "communication controller"),
            Map.entry(0x08, "system peripheral"),
            Map.entry(0x09, "input device"),
            Map.entry(0x0a, "docking station"),
            Map.entry(0x0b, "processor"),
            Map.entry(0x0c, "serial bus controller"),
            Map.entry(0x0d, "wireless controller"),
            Map.entry(0x0e, "intelligent controller"),
            Map.entry(0x0f, "satellite communication controller"),
            Map.entry(0x10, "encryption controller"),
            Map.entry(0x11, "signal processing controller"),
            Map.entry(0x12, "processing accelerator"));

    private PciClass() {}

    /** @param classCode 24 bits */
    static String name(int classCode) {
        return BASE_CLASSES.getOrDefault(classCode >>> 16, "device of unknown class");
    }
}
