package io.doorbell.igb.nic;

import java.util.function.Supplier;

/** Asks something of a NIC while nobody changes it, if it is open. */
@FunctionalInterface
interface Question {

    <T> T ask(Supplier<T> question);
}
