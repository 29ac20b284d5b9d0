package io.doorbell.virtio.spec;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Access to rings and headers, which are little-endian (1.4). Offsets in bytes; those of a ring's words are aligned. */
public final class LittleEndian {

    public static final VarHandle SHORT = littleEndian(ValueLayout.JAVA_SHORT);
    public static final VarHandle INT = littleEndian(ValueLayout.JAVA_INT);
    public static final VarHandle LONG = littleEndian(ValueLayout.JAVA_LONG);

    /** For headers and payload, which may lie anywhere, and which the device does not touch while the driver does. */
    public static final ValueLayout.OfInt PLAIN_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public static final ValueLayout.OfShort PLAIN_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public static final ValueLayout.OfLong PLAIN_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** For words of a ring that are aligned, and whose order is seen to by a fence. */
    public static final ValueLayout.OfLong ALIGNED_LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private LittleEndian() {}

    private static VarHandle littleEndian(ValueLayout layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    }
}
