package io.doorbell.igb.link;

import static io.doorbell.igb.spec.IgbRegisters.STATUS_FD;
import static io.doorbell.igb.spec.IgbRegisters.STATUS_LU;
import static io.doorbell.igb.spec.IgbRegisters.STATUS_SPEED;

import io.doorbell.frame.LinkState;

/** What STATUS says of the link (82576 data sheet, 8.2.2). */
public final class LinkStatus {

    private LinkStatus() {}

    public static LinkState of(int status) {
        if (!STATUS_LU.isSetIn(status)) {
            return LinkState.DOWN;
        }
        int speed = switch (STATUS_SPEED.in(status)) {
            case 0 -> 10;
            case 1 -> 100;
            default -> 1000;
        };
        return new LinkState(true, speed, STATUS_FD.isSetIn(status));
    }
}
