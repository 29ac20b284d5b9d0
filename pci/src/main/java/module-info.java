/** PCI functions: discovery, config space, capabilities, BARs; opened through VFIO. */
module io.doorbell.pci {
    requires static transitive org.jspecify;
    requires transitive io.doorbell.dma;

    exports io.doorbell.pci;
    exports io.doorbell.pci.vfio;
}
