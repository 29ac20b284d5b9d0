import io.doorbell.frame.NicProvider;
import io.doorbell.igb.IgbProvider;

/** The driver for the igb family. */
module io.doorbell.igb {
    requires static org.jspecify;
    requires io.doorbell.frame;
    requires io.doorbell.pci;

    provides NicProvider with
            IgbProvider;
}
