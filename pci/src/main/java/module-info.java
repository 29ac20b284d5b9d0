/** PCI functions: discovery, config space, capabilities, BARs; opened through VFIO or sysfs. */
module io.doorbell.pci {
    requires static transitive org.jspecify;
    requires transitive io.doorbell.dma;

    exports io.doorbell.pci;
    exports io.doorbell.pci.simulated;
    exports io.doorbell.pci.sysfs;
    exports io.doorbell.pci.vfio;
}
