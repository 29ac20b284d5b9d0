package io.doorbell.igb.nic;

import io.doorbell.frame.ability.EnergyEfficiency;
import io.doorbell.igb.link.IgbLink;
import java.util.function.Consumer;

/** A NIC's link at rest, under its lock. */
final class IgbEnergyEfficiency implements EnergyEfficiency {

    private final IgbLink link;
    private final Inquiry question;
    private final Consumer<Runnable> change;

    /** As {@link IgbLinkControl}. */
    IgbEnergyEfficiency(IgbLink link, Inquiry question, Consumer<Runnable> change) {
        this.link = link;
        this.question = question;
        this.change = change;
    }

    @Override
    public boolean wanted() {
        return question.ask(link::wantsRest);
    }

    @Override
    public void want(boolean rests) {
        change.accept(() -> link.wantRest(rests));
    }

    @Override
    public boolean negotiated() {
        return question.ask(link::isRestful);
    }
}
