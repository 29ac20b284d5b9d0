package io.doorbell.bench.load;

import io.doorbell.DoorbellException;
import io.doorbell.bench.workload.Workload;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.BoundedWait;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The other end of whoever sends frames back, in a JVM of its own: a vhost-user back-end that sends time-stamped frames
 * at a fixed rate and receives them again. {@code open SOCKET} comes first; then, as often as wanted,
 *
 * <ul>
 *   <li>{@code measure RATE MILLISECONDS} answers with {@link RoundTrips};
 *   <li>{@code offer RATE MILLISECONDS} too, but it begins as soon as the link is up, and a frame for which the ring has
 *       no room is lost;
 *   <li>{@code first} waits for a frame and answers with the time, {@link System#nanoTime}.
 * </ul>
 *
 * <p>A frame is stamped with the time at which it should be sent. So a frame that has to wait, because those before it
 * are stuck, is counted with its wait (no coordinated omission). Nothing is allocated meanwhile.
 */
public final class LatencyGenerator {

    private static final Duration LINK = Duration.ofSeconds(30);
    private static final int BATCH = 32;
    /** How long to send before frames count: a front-end that has just connected has memory to touch. */
    private static final long SETTLE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    /** How long to wait for frames at the end. */
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** For local experiments (IEEE 802). */
    private static final short ETHER_TYPE = (short) 0x88b5;

    private static final int RUN = 14;
    private static final int STAMP = 16;

    private final Nic nic;
    private final FrameBatch out = new FrameBatch(BATCH);
    private final FrameBatch in = new FrameBatch(BATCH);
    /** Tells the frames of this run from stragglers of an earlier one. */
    private short run;

    private LatencyGenerator(Nic nic) {
        this.nic = nic;
    }

    public static void main(String[] arguments) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String socket = input.readLine();
        if (socket == null) {
            return;
        }
        try (Nic nic = Nic.open("vhost-user-backend:" + socket.split(" ", -1)[1])) {
            System.out.println("open");
            LatencyGenerator generator = new LatencyGenerator(nic);
            String line;
            while ((line = input.readLine()) != null) {
                System.out.println(generator.obey(line.split(" ", -1)));
            }
        }
    }

    private String obey(String[] words) {
        boolean patient = words[0].equals("measure");
        if (!patient) {
            BoundedWait.require(
                    "the last front-end to go", () -> !nic.linkState().up(), LINK, () -> "it is still there");
        }
        nic.awaitLink(LINK);
        if (words[0].equals("first")) {
            return String.valueOf(awaitFrame());
        }
        return exchange(Integer.parseInt(words[1]), Integer.parseInt(words[2]), patient)
                .toString();
    }

    private long awaitFrame() {
        long deadline = System.nanoTime() + LINK.toNanos();
        while (nic.rxQueue(0).receive(in) == 0) {
            if (System.nanoTime() - deadline > 0) {
                throw new DoorbellException("no frame came within " + LINK.toSeconds() + " s");
            }
        }
        long now = System.nanoTime();
        in.release();
        return now;
    }

    private RoundTrips exchange(int rate, int milliseconds, boolean patient) {
        run++;
        RoundTrips trips = new RoundTrips();
        RxQueue rx = nic.rxQueue(0);
        TxQueue tx = nic.txQueue(0);
        long interval = TimeUnit.SECONDS.toNanos(1) / rate;
        long due = System.nanoTime();
        long settled = patient ? due + SETTLE_NANOS : due;
        trips.recordFrom(settled);
        long end = settled + TimeUnit.MILLISECONDS.toNanos(milliseconds);
        long now = due;
        while (due - end < 0 || (trips.underway() > 0 && now - end < PATIENCE_NANOS)) {
            now = System.nanoTime();
            if (now - due >= 0
                    && due - end < 0
                    && out.remaining() > 0
                    && nic.rxQueue(0).pool().allocate(out, 1) == 1) {
                write(out.frame(out.size() - 1), due);
                trips.sent(due);
                due += interval;
            }
            tx.send(out);
            if (!patient) {
                out.release();
            }
            if (rx.receive(in) > 0) {
                read(trips, System.nanoTime());
            }
        }
        out.release();
        return trips;
    }

    private void write(Frame frame, long due) {
        frame.length(Workload.LENGTH);
        frame.setLong(0, 0x0200_0000_0002_0200L);
        frame.setInt(8, 1);
        frame.setShort(12, ETHER_TYPE);
        frame.setShort(RUN, run);
        frame.setLong(STAMP, due);
    }

    private void read(RoundTrips trips, long now) {
        for (int i = 0; i < in.size(); i++) {
            Frame frame = in.frame(i);
            if (frame.getShort(12) == ETHER_TYPE && frame.getShort(RUN) == run) {
                trips.received(frame.getLong(STAMP), now);
            }
        }
        in.release();
    }
}
