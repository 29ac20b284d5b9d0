package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Ability;
import io.doorbell.frame.Rss;

/** How received frames are spread over the queues by a hash. */
public interface RssControl extends Ability {

    /** How they are spread now. */
    Rss rss();

    /**
     * Changes that. Frames that the device has already put into a queue stay there, so that for a moment those of one flow
     * may come by two.
     *
     * @throws DoorbellException when the device cannot spread them so; it goes on as before
     */
    void rss(Rss rss);
}
