package io.doorbell.igb.nic;

import io.doorbell.frame.ability.PtpClock;
import io.doorbell.frame.ability.RxStamp;
import io.doorbell.frame.ability.StampFilter;
import io.doorbell.frame.flow.FlowKind;
import io.doorbell.igb.clock.IgbClock;
import io.doorbell.igb.flow.FlowTable;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/** A NIC's clock, under its lock. */
final class IgbPtpClock implements PtpClock {

    private final IgbClock clock;
    private final FlowTable flows;
    private final Inquiry question;
    private final Consumer<Runnable> change;

    /**
     * Of one NIC.
     *
     * @param flows has the filters that stamps take too
     * @param question asks while nobody changes the NIC, whose device is there
     * @param change does something meanwhile
     */
    IgbPtpClock(IgbClock clock, FlowTable flows, Inquiry question, Consumer<Runnable> change) {
        this.clock = clock;
        this.flows = flows;
        this.question = question;
        this.change = change;
    }

    @Override
    public long time() {
        return question.ask(clock::time);
    }

    @Override
    public void time(long nanoseconds) {
        change.accept(() -> clock.time(nanoseconds));
    }

    @Override
    public void step(long nanoseconds) {
        change.accept(() -> clock.step(nanoseconds));
    }

    @Override
    public double rate() {
        return question.ask(clock::rate);
    }

    @Override
    public void rate(double partsPerBillion) {
        change.accept(() -> clock.rate(partsPerBillion));
    }

    @Override
    public double largestRate() {
        return question.ask(clock::largestRate);
    }

    @Override
    public Set<StampFilter> stampFilters() {
        return question.ask(clock::filters);
    }

    @Override
    public StampFilter stampFilter() {
        return question.ask(clock::filter);
    }

    @Override
    public void stampFilter(StampFilter filter) {
        change.accept(() -> {
            flows.keepLastOf(taken(filter));
            clock.filter(filter);
        });
    }

    private static Set<FlowKind> taken(StampFilter filter) {
        return switch (filter) {
            case NONE -> Set.of();
            case PTP_V1_L4_SYNC, PTP_V1_L4_DELAY_REQ -> Set.of(FlowKind.TUPLE);
            case PTP_V2_EVENT -> Set.of(FlowKind.ETHER_TYPE, FlowKind.TUPLE);
        };
    }

    @Override
    public Optional<RxStamp> takeRxStamp() {
        return question.ask(clock::takeRxStamp);
    }

    @Override
    public OptionalLong takeTxStamp() {
        return question.ask(clock::takeTxStamp);
    }
}
