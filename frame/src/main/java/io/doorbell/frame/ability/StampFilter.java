package io.doorbell.frame.ability;

/** Which received frames a NIC stamps with the time of their arrival. The names are those of {@code ethtool -T}. */
public enum StampFilter {
    /** None. */
    NONE,
    /** Sync of version 1 of the Precision Time Protocol (IEEE 1588-2002), in UDP. */
    PTP_V1_L4_SYNC,
    /** Delay_Req of version 1, in UDP. */
    PTP_V1_L4_DELAY_REQ,
    /** Of version 2 (IEEE 1588-2008): Sync, Delay_Req, Pdelay_Req and Pdelay_Resp, over Ethernet (type 0x88F7) and in UDP. */
    PTP_V2_EVENT
}
