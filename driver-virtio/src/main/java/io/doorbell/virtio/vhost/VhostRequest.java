package io.doorbell.virtio.vhost;

import java.util.Arrays;
import java.util.Optional;

/**
 * The requests of a vhost-user front-end that are spoken here, by their numbers in the vhost-user protocol ("Front-end
 * message types"), with the payloads that each may have.
 */
public enum VhostRequest {
    GET_FEATURES(1, 0, 0),
    SET_FEATURES(2, 8, 8),
    SET_OWNER(3, 0, 0),
    RESET_OWNER(4, 0, 0),
    SET_MEM_TABLE(5, 8, 8 + VhostRegion.MAX_IN_TABLE * VhostRegion.BYTES),
    SET_VRING_NUM(8, 8, 8),
    SET_VRING_ADDR(9, 40, 40),
    SET_VRING_BASE(10, 8, 8),
    GET_VRING_BASE(11, 8, 8),
    SET_VRING_KICK(12, 8, 8),
    SET_VRING_CALL(13, 8, 8),
    SET_VRING_ERR(14, 8, 8),
    GET_PROTOCOL_FEATURES(15, 0, 0),
    SET_PROTOCOL_FEATURES(16, 8, 8),
    GET_QUEUE_NUM(17, 0, 0),
    SET_VRING_ENABLE(18, 8, 8),
    RESET_DEVICE(34, 0, 0),
    GET_MAX_MEM_SLOTS(36, 0, 0),
    ADD_MEM_REG(37, 40, 40),
    REM_MEM_REG(38, 40, 40),
    SET_STATUS(39, 8, 8),
    GET_STATUS(40, 0, 0);

    private final int number;
    private final int shortest;
    private final int longest;

    VhostRequest(int number, int shortest, int longest) {
        this.number = number;
        this.shortest = shortest;
        this.longest = longest;
    }

    public int number() {
        return number;
    }

    /** Whether a request's payload can have so many bytes. */
    boolean fits(int bytes) {
        return bytes >= shortest && bytes <= longest;
    }

    /** Whether its answer says more than that it was done. */
    public boolean isQuestion() {
        return name().startsWith("GET_");
    }

    static Optional<VhostRequest> of(int number) {
        return Arrays.stream(values())
                .filter(request -> request.number == number)
                .findFirst();
    }
}
