/** The igb family of drivers. */
module io.doorbell.igb {
    requires static org.jspecify;
    requires io.doorbell.frame;
    requires io.doorbell.pci;
}
