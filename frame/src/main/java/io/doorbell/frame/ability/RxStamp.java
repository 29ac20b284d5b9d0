package io.doorbell.frame.ability;

import io.doorbell.frame.Frame;

/**
 * When a NIC saw the start of a frame that it received, and which frame that was.
 *
 * @param time of the NIC's clock, in nanoseconds since its epoch
 * @param source the last six bytes of the clock identity of the sender, or those of the source UUID in version 1 of the protocol,
 *     the first byte highest
 * @param sequence the message's sequence number, 16 bits
 */
public record RxStamp(long time, long source, int sequence) {

    /** Where those are in a message, in both versions of the protocol. */
    private static final int SOURCE = 22;

    private static final int SEQUENCE = 30;

    /**
     * Whether this is the stamp of a frame, which is most likely when both numbers agree. Sync, Follow_Up and Pdelay messages of one
     * sender may have the same ones: look at event messages only.
     *
     * @param message where the PTP message starts in the frame: 14 behind an Ethernet header without a VLAN tag, 42 behind those of
     *     IPv4 without options and of UDP
     */
    public boolean isOf(Frame frame, int message) {
        return message >= 0
                && frame.length() - message >= SEQUENCE + Short.BYTES
                && frame.getMac(message + SOURCE).value() == source
                && frame.getUnsignedShort(message + SEQUENCE) == sequence;
    }
}
