package io.doorbell.tools.bench;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * Doorbell's side of {@link StartScenario}, in a JVM of its own with as little around it as can be:
 * {@code run WORK QUEUE_SIZE SOCKET} opens a NIC and works until the input ends.
 */
final class StartRunner {

    private static final int BATCH = 32;
    private static final int POLLS = 100;

    private static volatile boolean stopped;

    private StartRunner() {}

    public static void main(String[] arguments) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line = input.readLine();
        if (line == null) {
            return;
        }
        String[] words = line.split(" ", -1);
        Work work = Work.valueOf(words[1]);
        int size = Integer.parseInt(words[2]);
        try (Nic nic = Nic.open("vhost-user:" + words[3], NicConfig.defaults().withRingSizes(size, size))) {
            Thread.ofPlatform().daemon().start(() -> stopAtTheEndOf(input));
            FrameBatch batch = new FrameBatch(BATCH);
            while (!stopped) {
                work.poll(nic, batch, POLLS);
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
