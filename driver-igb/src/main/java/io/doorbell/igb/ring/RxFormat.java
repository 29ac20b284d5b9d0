package io.doorbell.igb.ring;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;

/**
 * How frames arrive in buffers, and what the device says of them.
 *
 * @param room bytes that the device may write into a buffer, behind the headroom; a multiple of 1024 (SRRCTL.BSIZEPACKET)
 * @param longest bytes in the longest frame, without the check sequence and without a VLAN tag; the device counts those
 *     that are longer, and drops them
 * @param several whether a frame may take several buffers
 * @param tags whether VLAN tags are stripped, and told of
 * @param checksums whether checksums are looked at, and told of
 * @param hashes whether the hash is told of that a queue was chosen by
 */
public record RxFormat(int room, int longest, boolean several, boolean tags, boolean checksums, boolean hashes) {

    /** Bytes that a buffer has room for at least: a frame of 1518 bytes, and what the device rounds up. */
    public static final int SMALLEST_ROOM = 2048;

    /** Bytes in the longest frame with RCTL.LPE clear (82576 data sheet, 8.10.1): with a VLAN tag, 4 more. */
    public static final int LONGEST = 1518;

    /** Bytes in the longest frame with it set: 9.5 KiB with the check sequence. */
    public static final int LONGEST_JUMBO = 9728 - 4;

    private static final int UNIT = 1024;
    private static final int LARGEST_ROOM = 16 * UNIT;

    /**
     * What a configuration asks for. Frames are as long as a buffer holds, where buffers are larger than they need be for
     * ordinary frames, and as long as the device can where frames may take several.
     *
     * @param bufferSize bytes in the buffers of the pool, with the headroom; at least {@link #SMALLEST_ROOM} besides
     */
    public static RxFormat of(NicConfig config, int bufferSize, boolean hashes) {
        int room = Math.min((bufferSize - FramePool.HEADROOM) / UNIT * UNIT, LARGEST_ROOM);
        boolean several = has(config, Offloads.MORE_SEGMENTS);
        int longest = several ? LONGEST_JUMBO : room > SMALLEST_ROOM ? Math.min(room, LONGEST_JUMBO) : LONGEST;
        return new RxFormat(
                room, longest, several, has(config, Offloads.VLAN_TAG), has(config, Offloads.NEEDS_CHECKSUM), hashes);
    }

    private static boolean has(NicConfig config, int offload) {
        return (config.receiveOffloads() & offload) != 0;
    }

    /** Whether frames are longer than those of IEEE 802.3. */
    public boolean isJumbo() {
        return longest > LONGEST;
    }

    /** Whether each frame is in one buffer, and there is nothing to be said of it. */
    boolean isPlain() {
        return !(several || tags || checksums || hashes);
    }
}
