package io.doorbell.tools;

import io.doorbell.tools.host.Context;
import java.util.concurrent.Callable;

/**
 * Adds a command to nicctl that is not on its class path by itself. Found by {@link java.util.ServiceLoader}: a provider
 * has a public constructor without parameters.
 */
public interface CommandProvider {

    /** The command, with picocli's annotations; its name is none that nicctl has already. */
    Callable<Integer> command(Context context);
}
