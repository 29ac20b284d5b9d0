package io.doorbell.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PciNamesTest {

    private static final PciId IGB = new PciId(0x8086, 0x10c9);

    @Test
    void readsVendorsAndDevices(@TempDir Path root) {
        new FakeHost(root).file("usr/share/misc/pci.ids", """
                        # comment
                        1af4  Red Hat, Inc.
                        \t1000  Virtio network device
                        8086  Intel Corporation
                        \t10c9  82576 Gigabit Network Connection
                        \t\t103c 323f  NC362i
                        C 02  Network controller
                        \t00  Ethernet controller""");
        PciNames names = PciNames.under(root);
        assertThat(names.vendor(IGB)).contains("Intel Corporation");
        assertThat(names.device(IGB)).contains("82576 Gigabit Network Connection");
        assertThat(names.device(new PciId(0x8086, 0x1000)))
                .as("another vendor's")
                .isEmpty();
    }

    @Test
    void knowsNoNamesWhereThereIsNoFile(@TempDir Path root) {
        assertThat(PciNames.under(root).vendor(IGB)).isEmpty();
        assertThat(PciNames.under(root).device(IGB)).isEmpty();
    }
}
