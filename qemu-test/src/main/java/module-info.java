/** The lab: QEMU's own NIC models, driven from JUnit over qtest or from a guest. */
module io.doorbell.qemu {
    requires static transitive org.jspecify;
    requires transitive io.doorbell.pci;
    requires com.fasterxml.jackson.jr.ob;
    requires org.apache.commons.compress;

    exports io.doorbell.qemu;
    exports io.doorbell.qemu.guest;
    exports io.doorbell.qemu.link;
    exports io.doorbell.qemu.qtest;
}
