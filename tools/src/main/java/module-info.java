/** nicctl: the command line. */
module io.doorbell.tools {
    requires static transitive org.jspecify;
    requires io.doorbell.pci;
    requires io.doorbell.frame;
    requires io.doorbell.qemu;
    requires com.fasterxml.jackson.jr.ob;
    requires info.picocli;
    requires jdk.management;

    // picocli sets the fields that carry options.
    opens io.doorbell.tools to
            info.picocli;
    opens io.doorbell.tools.command to
            info.picocli;

    uses io.doorbell.tools.CommandProvider;
}
