package io.doorbell.virtio.net;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Offloads;
import io.doorbell.virtio.header.OffloadSide;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * What received frames may come with (5.1.6.5.8), a part of what was agreed on. What is wanted is kept here, because a
 * device that is reset goes back to all of it.
 */
final class ReceiveOffloads {

    private final String name;
    private final Features features;
    private final @Nullable ControlQueue control;
    /** What the NIC was opened with, and what is to be now: bits of {@link Offloads}. */
    private final int allowed;

    private int wanted;

    ReceiveOffloads(String name, Features features, @Nullable ControlQueue control, int allowed) {
        this.name = name;
        this.features = features;
        this.control = control;
        this.allowed = allowed;
        this.wanted = allowed;
    }

    /** Whether it can be changed. */
    boolean changes() {
        return features.has(Feature.VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
    }

    String whyNot() {
        return "the device cannot change what received frames come with, since "
                + features.notInUse(Feature.VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
    }

    /** Tells a device that was just started, if it would do otherwise by itself. */
    void apply() {
        if (wanted != allowed) {
            give(wanted);
        }
    }

    void change(int offloads) {
        if ((offloads & ~allowed) != 0) {
            throw new DoorbellException(
                    name + ": cannot turn on " + Offloads.toString(offloads & ~allowed)
                            + " while it runs: open it with NicConfig.withReceiveOffloads, and turn off what is not wanted yet");
        }
        give(offloads);
        wanted = offloads;
    }

    private void give(int offloads) {
        if (control == null || !changes()) {
            throw new DoorbellException(name + ": " + whyNot());
        }
        control.setting(
                ControlCommand.GUEST_OFFLOADS_SET,
                ByteBuffer.allocate(Long.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(bits(offloads))
                        .array());
    }

    /** The features that stay on, by their bits. Frames in several buffers are none of those that can be turned off. */
    private long bits(int offloads) {
        if ((offloads & Offloads.NEEDS_CHECKSUM) == 0) {
            return 0;
        }
        long large = Offloads.SEGMENT | Offloads.MORE_SEGMENTS;
        long bits = OffloadSide.DRIVER.checksum.mask()
                | ((offloads & large) == large ? OffloadSide.DRIVER.segmentation() : 0);
        return bits & features.negotiated();
    }
}
