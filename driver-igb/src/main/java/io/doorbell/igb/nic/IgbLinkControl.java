package io.doorbell.igb.nic;

import io.doorbell.frame.ability.LinkControl;
import io.doorbell.frame.ability.LinkMode;
import io.doorbell.frame.ability.LinkSettings;
import io.doorbell.igb.link.IgbLink;
import java.util.Set;
import java.util.function.Consumer;

/** A NIC's link, under its lock. */
final class IgbLinkControl implements LinkControl {

    private final IgbLink link;
    private final Inquiry question;
    private final Consumer<Runnable> change;

    /**
     * Of one NIC.
     *
     * @param question asks while nobody changes the NIC
     * @param change runs a change and then sets the link up; or throws
     */
    IgbLinkControl(IgbLink link, Inquiry question, Consumer<Runnable> change) {
        this.link = link;
        this.question = question;
        this.change = change;
    }

    @Override
    public LinkSettings settings() {
        return question.ask(link::settings);
    }

    @Override
    public void settings(LinkSettings wanted) {
        change.accept(() -> link.settings(wanted));
    }

    @Override
    public Set<LinkMode> partner() {
        return question.ask(link::partner);
    }
}
