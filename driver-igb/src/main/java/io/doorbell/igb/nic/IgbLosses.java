package io.doorbell.igb.nic;

import io.doorbell.frame.ability.CounterValue;
import io.doorbell.frame.ability.Loss;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * A verdict on lost frames by what the counters say together. A frame goes through the PHY and the MAC into the device's packet
 * buffer, and from there by a descriptor into a buffer of the pool: at each step there is a counter for what got lost.
 */
final class IgbLosses {

    private final Map<String, Long> values = new LinkedHashMap<>();
    private final List<Loss> losses = new ArrayList<>();

    private IgbLosses(List<CounterValue> counters) {
        counters.forEach(counter -> values.put(counter.name(), counter.value()));
    }

    /**
     * What frames were lost by.
     *
     * @param lostInStops frames that were not sent when the device, or a queue, was stopped or reset
     * @param stale frames that waited behind a link that was lost
     */
    static List<Loss> of(List<CounterValue> counters, long lostInStops, long stale) {
        IgbLosses verdict = new IgbLosses(counters);
        verdict.onTheWire();
        verdict.inTheDevice();
        verdict.inTheDriver();
        verdict.onTheWayOut(lostInStops, stale);
        return List.copyOf(verdict.losses);
    }

    private void onTheWire() {
        lost(
                "damaged on the wire",
                "CRCERRS, ALGNERRC, RXERRC",
                sum("CRCERRS", "ALGNERRC", "RXERRC"),
                "look at the cable, the transceivers and the port at the other end; at 10 or 100 Mb/s, whether both ends have"
                        + " the same duplex");
        lost(
                "shorter than 64 bytes",
                "RUC, RFC",
                sum("RUC", "RFC"),
                "collisions leave such behind: look whether both ends have the same duplex");
        lost(
                "longer than this NIC was opened for",
                "ROC",
                sum("ROC"),
                "open it with larger buffers (NicConfig.withBufferSize), or with MORE_SEGMENTS among its receive offloads; or"
                        + " lower the MTU at the other end");
    }

    private void inTheDevice() {
        long noBuffer = sum("MPC");
        long noDescriptor = sumOf(counter -> counter.startsWith("RQDPC["));
        String advice = starved() > 0
                ? "the pool had run out " + starved()
                        + " times (rx[n].starved): the application keeps frames, or the pool is"
                        + " small; release frames sooner, or open the NIC with a larger pool"
                : "the threads that poll did not keep up: poll more often, take larger batches, use more queues"
                        + " (NicConfig.withQueues), or larger rings (NicConfig.withRingSizes)";
        lost("no free descriptor in a receive ring", "RQDPC", noDescriptor, advice);
        lost(
                "the device's packet buffer was full",
                "MPC",
                noBuffer,
                sum("RNBC") > 0
                        ? "since no descriptor was free (RNBC): " + advice
                        : "although descriptors were free (RNBC is 0): the bus did not take frames as fast as they came; look"
                                + " at the PCI Express link (lspci -vv: LnkSta), and at what else is on it");
    }

    private void inTheDriver() {
        long dropped = sumOf(counter -> counter.endsWith(".dropped"));
        lost(
                "dropped by the driver, in too many buffers or damaged",
                "rx[n].dropped",
                dropped,
                "open the NIC with larger buffers (NicConfig.withBufferSize), receive into batches with room for the longest"
                        + " frame, or ask for MORE_SEGMENTS among its receive offloads");
    }

    private void onTheWayOut(long lostInStops, long stale) {
        lost(
                "not sent, because of collisions",
                "ECOL, LATECOL",
                sum("ECOL", "LATECOL"),
                "look whether both ends have the same duplex");
        lost(
                "waited behind a link that was lost, and dropped",
                "the driver's count",
                stale,
                "look why the link went down (nicctl link); send nothing while there is none (Nic.linkState, QueueWaiter.addLink)");
        lost(
                "given to the device, which was stopped or reset, or its queue was, before it had sent them",
                "the driver's count",
                lostInStops,
                "wait until TxQueue.reclaim says 0 before Nic.reset; without a link, nothing is sent");
    }

    private long starved() {
        return sumOf(counter -> counter.endsWith(".starved"));
    }

    private long sumOf(Predicate<String> names) {
        long sum = 0;
        for (Map.Entry<String, Long> counter : values.entrySet()) {
            sum += names.test(counter.getKey()) ? counter.getValue() : 0;
        }
        return sum;
    }

    private long sum(String... names) {
        long sum = 0;
        for (String name : names) {
            sum += values.getOrDefault(name, 0L);
        }
        return sum;
    }

    private void lost(String cause, String counters, long frames, String advice) {
        if (frames > 0) {
            losses.add(new Loss(cause, frames, counters, advice));
        }
    }
}
