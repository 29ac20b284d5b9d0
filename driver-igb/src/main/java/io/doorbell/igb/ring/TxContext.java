package io.doorbell.igb.ring;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.software.InternetChecksum;
import io.doorbell.frame.software.SctpChecksum;

/**
 * What the device is told of a frame that asks for something: the advanced context descriptor (82576 data sheet, 7.2.2.2),
 *
 * <pre>
 *   0  IPLEN 0 (9) | MACLEN 9 (7) | VLAN 16 (16)
 *   8  IPV4 10, TCP 11, SCTP 12 | DTYP 20 | DEXT 29 | L4LEN 40 (8) | MSS 48 (16)
 * </pre>
 *
 * and the bits of the frame's data descriptors that refer to it. One is used for all frames of a ring, so that nothing is
 * allocated: {@link #describe} is for the frame at hand.
 */
final class TxContext {

    private static final long DTYP_CONTEXT = 2L << 20;
    private static final long DEXT = 1L << 29;
    private static final long IPV4 = 1L << 10;
    private static final long TCP = 1L << 11;
    private static final long SCTP = 1L << 12;
    private static final int MACLEN_SHIFT = 9;
    private static final int VLAN_SHIFT = 16;
    private static final int L4LEN_SHIFT = 40;
    private static final int MSS_SHIFT = 48;

    private static final int LONGEST_MACLEN = 127;
    private static final int LONGEST_IPLEN = 511;
    private static final int LONGEST_L4LEN = 255;

    // In a data descriptor (7.2.2.3): the device notes when the frame leaves; and what it needs a context for.
    private static final long TSTAMP = 1L << 19;
    private static final long VLE = 1L << 30;
    private static final long TSE = 1L << 31;
    private static final long IXSM = 1L << 40;
    private static final long TXSM = 1L << 41;

    private static final int ETHER_TYPE = 12;
    private static final int TAG = 4;
    private static final int MOST_TAGS = 2;
    private static final int ETHER_IPV4 = 0x0800;
    private static final int ETHER_IPV6 = 0x86dd;
    private static final int ETHER_VLAN = 0x8100;
    private static final int ETHER_SERVICE_VLAN = 0x88a8;

    private static final int IPV4_LENGTH = 2;
    private static final int IPV4_CHECKSUM = 10;
    private static final int IPV6_LENGTH = 4;
    private static final int SHORTEST_IPV4 = 20;

    /** Where the checksum is in the header, from which the device knows it as TCP's or UDP's. */
    private static final int TCP_CHECKSUM = 16;

    private static final int UDP_CHECKSUM = 6;
    private static final int SCTP_CHECKSUM = 8;

    /** The context descriptor. */
    long first;

    long second;

    /** Bits that go into each data descriptor, and bytes that the device counts as payload. */
    long command;

    int payload;

    private int network;
    private boolean isIpv4;

    /** Whether the device is told of anything, so that there must be a context. */
    boolean isNeeded() {
        return (command & ~TSTAMP) != 0;
    }

    /**
     * Finds out what the device is to be told of a frame, which stays as it is.
     *
     * @param length bytes in the whole frame
     * @return false when it asks for segmentation, and its headers are not what the device can segment by
     */
    boolean describe(Frame frame, int length) {
        final int asked = frame.offloads();
        first = 0;
        second = DTYP_CONTEXT | DEXT;
        command = 0;
        payload = length;
        network = ETHER_TYPE + Short.BYTES;
        if ((asked & Offloads.NEEDS_CHECKSUM) != 0 && canChecksum(frame)) {
            command = TXSM;
            second |= (isIpv4 ? IPV4 : 0) | (frame.checksumOffset() == TCP_CHECKSUM ? TCP : 0);
            first = (long) frame.checksumStart() - network;
        }
        if ((asked & Offloads.NEEDS_CRC32C) != 0 && canChecksum(frame)) {
            command = TXSM;
            second |= (isIpv4 ? IPV4 : 0) | SCTP;
            first = (long) frame.checksumStart() - network;
        }
        if ((asked & Offloads.SEGMENT) != 0) {
            int transport = frame.segmentHeader() - frame.checksumStart();
            if (command == 0
                    || frame.segmentation() != (isIpv4 ? Segmentation.TCP4 : Segmentation.TCP6)
                    || frame.checksumOffset() != TCP_CHECKSUM
                    || transport < 1
                    || transport > LONGEST_L4LEN) {
                return false;
            }
            command |= TSE | (isIpv4 ? IXSM : 0);
            second |= (long) transport << L4LEN_SHIFT | (long) frame.segmentSize() << MSS_SHIFT;
            payload = length - frame.segmentHeader();
        }
        first |= (long) network << MACLEN_SHIFT;
        if ((asked & Offloads.VLAN_TAG) != 0) {
            command |= VLE;
            first |= (long) frame.vlanTag() << VLAN_SHIFT;
        }
        if ((asked & Offloads.TIME_STAMP) != 0) {
            command |= TSTAMP;
        }
        return true;
    }

    /** Whether the device knows the headers: IPv4 or IPv6, and TCP's, UDP's or SCTP's checksum where that belongs. */
    private boolean canChecksum(Frame frame) {
        int offset = frame.checksumOffset();
        if (!isKnown(offset, (frame.offloads() & Offloads.NEEDS_CRC32C) != 0) || !findNetwork(frame)) {
            network = ETHER_TYPE + Short.BYTES;
            return false;
        }
        int header = frame.checksumStart() - network;
        return header >= SHORTEST_IPV4 && header <= LONGEST_IPLEN && network <= LONGEST_MACLEN;
    }

    private static boolean isKnown(int offset, boolean crc) {
        return crc ? offset == SCTP_CHECKSUM : offset == TCP_CHECKSUM || offset == UDP_CHECKSUM;
    }

    private boolean findNetwork(Frame frame) {
        int type = ETHER_TYPE;
        for (int tags = 0; type + Short.BYTES + SHORTEST_IPV4 <= frame.length(); tags++) {
            int etherType = frame.getUnsignedShort(type);
            if (etherType == ETHER_IPV4 || etherType == ETHER_IPV6) {
                network = type + Short.BYTES;
                isIpv4 = etherType == ETHER_IPV4;
                return true;
            }
            if ((etherType != ETHER_VLAN && etherType != ETHER_SERVICE_VLAN) || tags == MOST_TAGS) {
                return false;
            }
            type += TAG;
        }
        return false;
    }

    /** Prepares the frame that was described for the device, which is to get it now; does in software what that does not. */
    void prepare(FrameBatch batch, int index) {
        Frame frame = batch.frame(index);
        if ((command & TSE) != 0) {
            prepareSegments(frame);
        } else if ((frame.offloads() & Offloads.NEEDS_CHECKSUM) != 0 && (command & TXSM) == 0) {
            InternetChecksum.complete(batch, index, frame.checksumStart(), frame.checksumOffset());
        } else if ((frame.offloads() & Offloads.NEEDS_CRC32C) != 0 && (command & TXSM) == 0) {
            SctpChecksum.complete(batch, index, frame.checksumStart(), frame.checksumOffset());
        }
    }

    /** The device puts in each segment's lengths, and adds them to the sum of the pseudo header (7.2.4.3). */
    private void prepareSegments(Frame frame) {
        if (isIpv4) {
            frame.setShort(network + IPV4_LENGTH, (short) 0);
            frame.setShort(network + IPV4_CHECKSUM, (short) 0);
        } else {
            frame.setShort(network + IPV6_LENGTH, (short) 0);
        }
        int place = frame.checksumStart() + TCP_CHECKSUM;
        int length = payload + frame.segmentHeader() - frame.checksumStart();
        frame.setShort(place, InternetChecksum.adjusted(frame.getShort(place), ~length & 0xffff));
    }
}
