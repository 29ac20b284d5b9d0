import io.doorbell.frame.NicProvider;
import io.doorbell.virtio.VhostUserProvider;
import io.doorbell.virtio.VirtioProvider;

/** The virtio-net driver. */
module io.doorbell.virtio {
    requires static org.jspecify;
    requires io.doorbell.frame;
    requires io.doorbell.pci;

    provides NicProvider with
            VirtioProvider,
            VhostUserProvider;
}
