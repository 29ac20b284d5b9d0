package io.doorbell.igb.nic;

import io.doorbell.frame.ability.FlowControl;
import io.doorbell.frame.ability.Pause;
import io.doorbell.igb.link.IgbLink;
import java.util.function.Consumer;

/** A NIC's flow control, under its lock. */
final class IgbFlowControl implements FlowControl {

    private final IgbLink link;
    private final Inquiry question;
    private final Consumer<Runnable> change;

    /** As {@link IgbLinkControl}. */
    IgbFlowControl(IgbLink link, Inquiry question, Consumer<Runnable> change) {
        this.link = link;
        this.question = question;
        this.change = change;
    }

    @Override
    public Pause requested() {
        return question.ask(link::wantedPause);
    }

    @Override
    public void request(Pause wanted) {
        change.accept(() -> link.wantedPause(wanted));
    }

    @Override
    public Pause negotiated() {
        return question.ask(() -> {
            link.state();
            return link.pause();
        });
    }
}
