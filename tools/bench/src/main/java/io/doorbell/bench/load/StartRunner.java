package io.doorbell.bench.load;

import io.doorbell.bench.workload.Workload;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.warmup.WarmUp;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Doorbell's side of {@code StartScenario}, in a JVM of its own with as little around it as can be:
 * {@code run WORKLOAD QUEUE_SIZE SOCKET} opens a NIC and works until the input ends. {@code warm}, instead of {@code run},
 * warms up first, and answers with how many milliseconds that took.
 */
public final class StartRunner {

    private static final int BATCH = 32;
    /** In earnest: so many in a row that the loop around them does not get hot enough for the JIT. */
    private static final int POLLS = 100_000;
    /** Between what happens in a warm-up. */
    private static final int WARM_UP_POLLS = 100;

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static volatile boolean stopped;

    private StartRunner() {}

    public static void main(String[] arguments) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line = input.readLine();
        if (line == null) {
            return;
        }
        String[] words = line.split(" ", -1);
        Workload workload = Workload.valueOf(words[1]);
        int size = Integer.parseInt(words[2]);
        String name = "vhost-user:" + words[3];
        NicConfig config = NicConfig.defaults().withRingSizes(size, size);
        if (words[0].equals("warm")) {
            FrameBatch own = new FrameBatch(BATCH);
            WarmUp done = WarmUp.run(name, config, PATIENCE, nic -> workload.poll(nic, own, WARM_UP_POLLS));
            System.out.println(done.time().toMillis());
        }
        Thread.ofPlatform().daemon().start(() -> stopAtTheEndOf(input));
        FrameBatch batch = new FrameBatch(BATCH);
        try (Nic nic = Nic.open(name, config)) {
            while (!stopped) {
                workload.poll(nic, batch, POLLS);
            }
            batch.release();
        }
    }

    private static void stopAtTheEndOf(BufferedReader input) {
        try {
            while (input.readLine() != null) {
                // there is nothing more to be said
            }
        } catch (IOException e) {
            // as good as its end
        }
        stopped = true;
    }
}
