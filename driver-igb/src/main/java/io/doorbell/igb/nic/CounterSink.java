package io.doorbell.igb.nic;

/** Takes counters, one by one. */
@FunctionalInterface
interface CounterSink {

    /** Takes one; {@code meaning} is what it counts. */
    void add(String name, long value, String meaning);
}
