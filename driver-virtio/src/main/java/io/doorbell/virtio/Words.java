package io.doorbell.virtio;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Access to rings and headers, which are little-endian (1.4). Offsets in bytes; those of a ring's words are aligned. */
final class Words {

    static final VarHandle SHORT = littleEndian(ValueLayout.JAVA_SHORT);
    static final VarHandle INT = littleEndian(ValueLayout.JAVA_INT);
    static final VarHandle LONG = littleEndian(ValueLayout.JAVA_LONG);

    /** For headers and payload, which may lie anywhere, and which the device does not touch while the driver does. */
    static final ValueLayout.OfInt PLAIN_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static final ValueLayout.OfShort PLAIN_SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static final ValueLayout.OfLong PLAIN_LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** For words of a ring that are aligned, and whose order is seen to by a fence. */
    static final ValueLayout.OfLong ALIGNED_LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Words() {}

    private static VarHandle littleEndian(ValueLayout layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    }
}
