package io.doorbell.virtio.spec;

/** The bits of the device status field (2.1). */
public final class DeviceStatus {

    public static final int ACKNOWLEDGE = 1;
    public static final int DRIVER = 2;
    public static final int DRIVER_OK = 4;
    public static final int FEATURES_OK = 8;
    public static final int DEVICE_NEEDS_RESET = 64;
    public static final int FAILED = 128;

    private DeviceStatus() {}

    /** In words, such as {@code ACKNOWLEDGE DRIVER}. */
    public static String describe(int status) {
        StringBuilder words = new StringBuilder();
        append(words, status, ACKNOWLEDGE, "ACKNOWLEDGE");
        append(words, status, DRIVER, "DRIVER");
        append(words, status, FEATURES_OK, "FEATURES_OK");
        append(words, status, DRIVER_OK, "DRIVER_OK");
        append(words, status, DEVICE_NEEDS_RESET, "DEVICE_NEEDS_RESET");
        append(words, status, FAILED, "FAILED");
        return words.toString();
    }

    private static void append(StringBuilder words, int status, int bit, String name) {
        if ((status & bit) != 0) {
            words.append(words.isEmpty() ? "" : " ").append(name);
        }
    }
}
