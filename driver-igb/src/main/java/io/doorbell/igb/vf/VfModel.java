package io.doorbell.igb.vf;

import io.doorbell.pci.PciId;
import java.util.Arrays;
import java.util.Optional;

/** The members of the family that have virtual functions. QEMU models that of the 82576; the other is here by its data sheet. */
public enum VfModel {
    I82576("Intel 82576 virtual function", 0x10CA, 2),
    I350("Intel I350 virtual function", 0x1520, 1);

    private static final int INTEL = 0x8086;

    private final String marketingName;
    private final int deviceId;
    private final int queues;

    VfModel(String marketingName, int deviceId, int queues) {
        this.marketingName = marketingName;
        this.deviceId = deviceId;
        this.queues = queues;
    }

    public static Optional<VfModel> of(PciId id) {
        return Arrays.stream(values())
                .filter(model -> id.vendor() == INTEL && id.device() == model.deviceId)
                .findFirst();
    }

    /** The PCI device id under Intel's vendor id. */
    public int deviceId() {
        return deviceId;
    }

    /**
     * Queues of each direction that the function has registers for. Whether frames go to another than the first is up to the
     * port's driver; Linux's lets none.
     */
    public int queues() {
        return queues;
    }

    @Override
    public String toString() {
        return marketingName;
    }
}
