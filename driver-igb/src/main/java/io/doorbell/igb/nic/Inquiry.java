package io.doorbell.igb.nic;

import java.util.function.Supplier;

/** Asks a device something under its NIC's lock, if the NIC is open and the device answers. */
interface Inquiry {
    <T> T ask(Supplier<T> question);
}
