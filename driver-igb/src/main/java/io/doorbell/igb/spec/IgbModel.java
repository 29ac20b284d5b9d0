package io.doorbell.igb.spec;

import io.doorbell.pci.PciId;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/** The members of the family that this driver drives, and where they differ. */
public enum IgbModel {
    I82576("Intel 82576", 16, Set.of(0x10C9, 0x10E6, 0x10E7, 0x10E8, 0x1518, 0x1526, 0x150A, 0x150D)),
    I82580("Intel 82580", 8, Set.of(0x150E, 0x150F, 0x1510, 0x1511, 0x1516, 0x1527));

    private static final int INTEL = 0x8086;

    private final String marketingName;
    private final int queues;

    @SuppressWarnings("ImmutableEnumChecker") // Set.of is
    private final Set<Integer> deviceIds;

    IgbModel(String marketingName, int queues, Set<Integer> deviceIds) {
        this.marketingName = marketingName;
        this.queues = queues;
        this.deviceIds = deviceIds;
    }

    public static Optional<IgbModel> of(PciId id) {
        return Arrays.stream(values())
                .filter(model -> id.vendor() == INTEL && model.deviceIds.contains(id.device()))
                .findFirst();
    }

    /** Queues of each direction that the device has; not how many are in use. */
    public int queues() {
        return queues;
    }

    @Override
    public String toString() {
        return marketingName;
    }
}
