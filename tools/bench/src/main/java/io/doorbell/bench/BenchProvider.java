package io.doorbell.bench;

import io.doorbell.tools.CommandProvider;
import io.doorbell.tools.host.Context;
import java.util.concurrent.Callable;

/** Adds {@code bench} to nicctl. */
public final class BenchProvider implements CommandProvider {

    /** For {@link java.util.ServiceLoader}. */
    public BenchProvider() {}

    @Override
    public Callable<Integer> command(Context context) {
        return new BenchCommand(context);
    }
}
