package io.doorbell.virtio.vhost;

/** Protocol features of vhost-user, and what else is fixed in it. */
public final class VhostProtocol {

    /** VHOST_USER_F_PROTOCOL_FEATURES among the device's features: there are protocol features. */
    public static final long PROTOCOL_FEATURES = 1L << 30;

    /** VHOST_USER_PROTOCOL_F_MQ: {@link VhostRequest#GET_QUEUE_NUM}. */
    public static final long MQ = 1L;

    /** VHOST_USER_PROTOCOL_F_REPLY_ACK: a request can ask for an answer that says whether it succeeded. */
    public static final long REPLY_ACK = 1L << 3;

    /** VHOST_USER_PROTOCOL_F_RESET_DEVICE. */
    public static final long RESET_DEVICE = 1L << 13;

    /** VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS: regions are added and removed one by one. */
    public static final long CONFIGURE_MEM_SLOTS = 1L << 15;

    /** VHOST_USER_PROTOCOL_F_STATUS: the back-end is told of the device status. */
    public static final long STATUS = 1L << 16;

    /** What both of our sides make use of. */
    public static final long KNOWN = MQ | REPLY_ACK | RESET_DEVICE | CONFIGURE_MEM_SLOTS | STATUS;

    /** In the payload of SET_VRING_KICK and its like: the queue, and whether no file comes along. */
    public static final int QUEUE_MASK = 0xff;

    public static final int NO_FILE = 0x100;

    /** Where a packed ring starts: position 0, wrap counter 1, for descriptors available and used alike. */
    public static final int PACKED_START = 0x8000_8000;

    private VhostProtocol() {}
}
