package io.doorbell.virtio.transport;

import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.pci.Bar;
import io.doorbell.virtio.spec.DeviceStatus;
import io.doorbell.virtio.spec.Feature;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Access to virtio_pci_common_cfg (4.1.4.3), each field with its own width (4.1.3.1). */
final class CommonConfig {

    private final Bar bar;
    private final long base;
    private final long length;

    CommonConfig(Bar bar, long base, long length) {
        this.bar = bar;
        this.base = base;
        this.length = length;
    }

    /** Whether the device's structure is long enough to have the field. */
    boolean has(CommonField field) {
        return field.offset() + field.width() <= length;
    }

    /** Reads a field; of one of 8 bytes, the lower half. */
    int read(CommonField field) {
        return read(field, 0);
    }

    private int read(CommonField field, int half) {
        long offset = base + field.offset() + half;
        return switch (field.width()) {
            case 1 -> bar.read8(offset) & 0xff;
            case 2 -> bar.read16(offset) & 0xffff;
            default -> bar.read32(offset);
        };
    }

    void write(CommonField field, int value) {
        long offset = base + field.offset();
        switch (field.width()) {
            case 1 -> bar.write8(offset, value);
            case 2 -> bar.write16(offset, value);
            default -> bar.write32(offset, value);
        }
    }

    void writeAddress(CommonField field, long address) {
        bar.write32(base + field.offset(), (int) address);
        bar.write32(base + field.offset() + 4, (int) (address >>> 32));
    }

    /** Reads both halves of a feature mask. */
    long readFeatures(CommonField select, CommonField features) {
        write(select, 0);
        long low = Integer.toUnsignedLong(read(features));
        write(select, 1);
        return low | (long) read(features) << 32;
    }

    void writeFeatures(CommonField select, CommonField fields, long features) {
        write(select, 0);
        write(fields, (int) features);
        write(select, 1);
        write(fields, (int) (features >>> 32));
    }

    /** All fields, those of queues for each queue. Moves the select fields, which nobody relies on. */
    List<RegisterValue> dump() {
        List<RegisterValue> values = new ArrayList<>();
        int queues = read(CommonField.NUM_QUEUES);
        for (CommonField field : CommonField.values()) {
            if (!has(field)) {
                continue;
            }
            switch (field.scope()) {
                case DEVICE -> values.add(value(field, "", 0));
                case FEATURE_WORD -> {
                    CommonField select = field == CommonField.DEVICE_FEATURE
                            ? CommonField.DEVICE_FEATURE_SELECT
                            : CommonField.DRIVER_FEATURE_SELECT;
                    for (int word = 0; word < 2; word++) {
                        write(select, word);
                        values.add(value(field, "[" + word + "]", 0));
                    }
                }
                case QUEUE -> {
                    for (int queue = 0; queue < queues; queue++) {
                        write(CommonField.QUEUE_SELECT, queue);
                        values.add(value(field, "[" + queue + "]", 0));
                        if (field.width() == 8) {
                            values.add(value(field, "[" + queue + "].high", 4));
                        }
                    }
                }
                case SELECTOR -> {
                    // Says nothing about the device.
                }
            }
        }
        return values;
    }

    private RegisterValue value(CommonField field, String suffix, int half) {
        int value = read(field, half);
        String decoded = "";
        if (field == CommonField.DEVICE_STATUS) {
            decoded = DeviceStatus.describe(value);
        } else if (field.scope() == CommonField.Scope.FEATURE_WORD) {
            decoded = Feature.describe(suffix.equals("[0]") ? Integer.toUnsignedLong(value) : (long) value << 32);
        }
        return new RegisterValue(
                field.fieldName() + suffix,
                base + field.offset() + half,
                OptionalInt.of(value),
                CommonField.SECTION,
                decoded);
    }
}
