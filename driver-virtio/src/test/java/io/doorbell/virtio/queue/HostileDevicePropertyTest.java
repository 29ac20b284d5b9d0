package io.doorbell.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * As {@link HostileDeviceTest}, in many short lives instead of a long one, so that the fewest steps that lead to a failure
 * are what it prints.
 */
class HostileDevicePropertyTest {

    private static final int SIZE = 8;
    private static final int BUFFERS = 32;

    /** What may happen; each makes of the step's number what it needs. */
    enum Act {
        RX_TAKE,
        RX_USE,
        RX_USE_BATCH,
        RX_USE_WRONG_ID,
        RX_USE_WRONG_LENGTH,
        RX_SCRAMBLE,
        TX_TAKE,
        TX_USE,
        TX_USE_BATCH,
        TX_USE_WRONG_ID,
        TX_SCRAMBLE,
        RECEIVE,
        SEND,
        RECLAIM,
        RELEASE
    }

    record Step(Act act, int number) {}

    @Provide
    Arbitrary<List<Step>> lives() {
        return Combinators.combine(Arbitraries.of(Act.class), Arbitraries.integers())
                .as(Step::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(250);
    }

    @Property(tries = 2000)
    void losesNoBufferAndSharesNoneWhateverHappens(@ForAll Layout layout, @ForAll("lives") List<Step> life) {
        try (Rig rig = new Rig(layout, SIZE, BUFFERS)) {
            Life one = new Life(rig);
            for (Step step : life) {
                one.take(step);
                requireDistinct(one.batch);
            }
            one.batch.release();
            rig.rx.stop();
            rig.tx.stop();
            assertThat(rig.pool.available()).isEqualTo(BUFFERS);
            FrameBatch all = new FrameBatch(BUFFERS);
            assertThat(rig.pool.allocate(all, BUFFERS)).isEqualTo(BUFFERS);
            requireDistinct(all);
        }
    }

    private static void requireDistinct(FrameBatch batch) {
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < batch.size(); i++) {
            int buffer = batch.frame(i).buffer();
            assertThat(seen.add(buffer))
                    .as("buffer %d is in the batch once", buffer)
                    .isTrue();
        }
    }

    /** A driver, a device, and the frames of an application. */
    private static final class Life {

        private final Rig rig;
        private final FrameBatch batch = new FrameBatch(12);
        private final List<Integer> rxTaken = new ArrayList<>();
        private final List<Integer> txTaken = new ArrayList<>();

        Life(Rig rig) {
            this.rig = rig;
        }

        void take(Step step) {
            try {
                act(step.act(), step.number());
            } catch (BrokenDeviceException e) {
                assertThat(e).hasMessageEndingWith("; the queue has stopped");
                if (e.getMessage().startsWith("rx: ")) {
                    rig.rx.stop();
                    rxTaken.clear();
                    rig.startReceive();
                } else {
                    assertThat(e).hasMessageStartingWith("tx: ");
                    rig.tx.stop();
                    txTaken.clear();
                    rig.startTransmit();
                }
            }
        }

        private void act(Act act, int number) {
            switch (act) {
                case RX_TAKE -> take(rig.rxFar, rxTaken);
                case RX_USE -> use(rig.rxFar, rxTaken, number, Rig.HEADER + 1 + Math.floorMod(number, 192));
                case RX_USE_BATCH -> useBatch(rig.rxFar, rxTaken, number, Rig.HEADER + 1 + Math.floorMod(number, 192));
                case RX_USE_WRONG_ID -> rig.rxFar.use(number, Rig.HEADER + 1);
                case RX_USE_WRONG_LENGTH -> use(rig.rxFar, rxTaken, 0, number);
                case RX_SCRAMBLE -> rig.rxFar.scramble(new Random(number));
                case TX_TAKE -> take(rig.txFar, txTaken);
                case TX_USE -> use(rig.txFar, txTaken, number, 0);
                case TX_USE_BATCH -> useBatch(rig.txFar, txTaken, number, 0);
                case TX_USE_WRONG_ID -> rig.txFar.use(number, 0);
                case TX_SCRAMBLE -> rig.txFar.scramble(new Random(number));
                case RECEIVE -> rig.rx.receive(batch);
                case SEND -> send(number);
                case RECLAIM -> rig.tx.reclaim();
                case RELEASE -> batch.release();
            }
            rig.rxFar.publish();
            rig.txFar.publish();
        }

        private static void take(QueuePeer far, List<Integer> taken) {
            // A ring that was lied to may have no end.
            while (taken.size() < SIZE && far.take()) {
                taken.add(far.id());
            }
        }

        private void use(QueuePeer far, List<Integer> taken, int number, int length) {
            if (!taken.isEmpty()) {
                int which = rig.layout.isInOrder() ? 0 : Math.floorMod(number, taken.size());
                far.use(taken.remove(which), length);
            }
        }

        /** Several as one: a lie, unless the device works in order. */
        private static void useBatch(QueuePeer far, List<Integer> taken, int number, int length) {
            if (!taken.isEmpty()) {
                List<Integer> batch = taken.subList(0, 1 + Math.floorMod(number, taken.size()));
                far.useBatch(batch.getLast(), length, batch.size());
                batch.clear();
            }
        }

        private void send(int number) {
            if (batch.isEmpty()) {
                rig.pool.allocate(batch, Math.floorMod(number, 8));
            }
            for (int i = 0; i < batch.size(); i++) {
                batch.frame(i).length(60);
            }
            rig.tx.send(batch);
        }
    }
}
