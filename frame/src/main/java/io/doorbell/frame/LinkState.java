package io.doorbell.frame;

/**
 * What the PHY, or what stands in for one, says of the wire.
 *
 * @param up whether frames can pass
 * @param megabitsPerSecond the speed; 0 when the link is down or the device does not say
 * @param fullDuplex whether both ends may send at once; false when the link is down
 */
public record LinkState(boolean up, int megabitsPerSecond, boolean fullDuplex) {

    public static final LinkState DOWN = new LinkState(false, 0, false);

    @Override
    public String toString() {
        if (!up) {
            return "down";
        }
        if (megabitsPerSecond == 0) {
            return "up";
        }
        return "up, " + megabitsPerSecond + " Mb/s, " + (fullDuplex ? "full" : "half") + " duplex";
    }
}
