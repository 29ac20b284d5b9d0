package io.doorbell.virtio.transport;

import java.util.Locale;

/** The fields of virtio_pci_common_cfg (4.1.4.3), in its order and with its names. */
enum CommonField {
    DEVICE_FEATURE_SELECT(0, 4, Scope.SELECTOR),
    DEVICE_FEATURE(4, 4, Scope.FEATURE_WORD),
    DRIVER_FEATURE_SELECT(8, 4, Scope.SELECTOR),
    DRIVER_FEATURE(12, 4, Scope.FEATURE_WORD),
    CONFIG_MSIX_VECTOR(16, 2, Scope.DEVICE),
    NUM_QUEUES(18, 2, Scope.DEVICE),
    DEVICE_STATUS(20, 1, Scope.DEVICE),
    CONFIG_GENERATION(21, 1, Scope.DEVICE),
    QUEUE_SELECT(22, 2, Scope.SELECTOR),
    QUEUE_SIZE(24, 2, Scope.QUEUE),
    QUEUE_MSIX_VECTOR(26, 2, Scope.QUEUE),
    QUEUE_ENABLE(28, 2, Scope.QUEUE),
    QUEUE_NOTIFY_OFF(30, 2, Scope.QUEUE),
    QUEUE_DESC(32, 8, Scope.QUEUE),
    QUEUE_DRIVER(40, 8, Scope.QUEUE),
    QUEUE_DEVICE(48, 8, Scope.QUEUE),
    /** Only if the structure is as long as that, as the one below. */
    QUEUE_NOTIF_CONFIG_DATA(56, 2, Scope.QUEUE),
    QUEUE_RESET(58, 2, Scope.QUEUE);

    /** What a field is about. */
    enum Scope {
        /** The device as a whole. */
        DEVICE,
        /** 32 of the 64 feature bits, which the select field before it chooses. */
        FEATURE_WORD,
        /** The queue that QUEUE_SELECT chooses. */
        QUEUE,
        /** Chooses what other fields are about. */
        SELECTOR
    }

    /** Bytes up to the optional fields: what each device has. */
    static final int SIZE = 56;

    static final String SECTION = "4.1.4.3";

    private final int offset;
    private final int width;
    private final Scope scope;

    CommonField(int offset, int width, Scope scope) {
        this.offset = offset;
        this.width = width;
        this.scope = scope;
    }

    /** In bytes from the start of the structure. */
    int offset() {
        return offset;
    }

    /** In bytes; those of 8 are written as two halves of 4. */
    int width() {
        return width;
    }

    Scope scope() {
        return scope;
    }

    /** As the specification spells it. */
    String fieldName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
