package io.doorbell.qemu.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.qemu.link.NumberedExchange.Counts;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumberedExchangeTest {

    private static final long LEFT = 0x0200_0000_0001L;
    private static final long RIGHT = 0x0200_0000_0002L;

    /** A direction of the wire: puts onto the wire what becomes of a frame that is sent. */
    interface Wire {
        Wire PERFECT = (frame, wire) -> wire.add(frame);

        void send(byte[] frame, Deque<byte[]> wire);
    }

    /** Two ends and what is on its way between them. */
    private static final class Pair {
        final NumberedExchange left;
        final NumberedExchange right;
        private final Wire toRight;
        private final Wire toLeft;
        private final Deque<byte[]> onWayToRight = new ArrayDeque<>();
        private final Deque<byte[]> onWayToLeft = new ArrayDeque<>();
        int reminders;
        int mostOnWayToRight;

        Pair(long leftSends, long rightSends, int window, Wire toRight, Wire toLeft) {
            left = new NumberedExchange(RIGHT, LEFT, leftSends, rightSends, window);
            right = new NumberedExchange(LEFT, RIGHT, rightSends, leftSends, window);
            this.toRight = toRight;
            this.toLeft = toLeft;
        }

        /** Drives both ends until they are finished; reminds both when nothing moves, as a driver would after a while. */
        void run() {
            while (!left.isFinished() || !right.isFinished()) {
                boolean moved = send(left, toRight, onWayToRight) | send(right, toLeft, onWayToLeft);
                mostOnWayToRight = Math.max(mostOnWayToRight, numbered(onWayToRight));
                moved |= deliver(onWayToRight, right) | deliver(onWayToLeft, left);
                if (!moved) {
                    assertThat(++reminders).as("reminders").isLessThan(1000);
                    left.remind();
                    right.remind();
                }
            }
        }

        private static boolean send(NumberedExchange from, Wire over, Deque<byte[]> wire) {
            boolean moved = false;
            int length;
            while ((length = from.nextLength()) > 0) {
                byte[] frame = new byte[length];
                from.write(MemorySegment.ofArray(frame), 0);
                over.send(frame, wire);
                moved = true;
            }
            return moved;
        }

        private static boolean deliver(Deque<byte[]> wire, NumberedExchange to) {
            boolean moved = !wire.isEmpty();
            while (!wire.isEmpty()) {
                byte[] frame = wire.remove();
                to.accept(MemorySegment.ofArray(frame), 0, frame.length);
            }
            return moved;
        }

        private static int numbered(Deque<byte[]> wire) {
            return (int) wire.stream().filter(NumberedExchangeTest::isNumbered).count();
        }
    }

    private static boolean isNumbered(byte[] frame) {
        return NumberedFrames.kind(MemorySegment.ofArray(frame), 0) == NumberedFrames.NUMBERED;
    }

    private static Counts perfect(long sent, long received) {
        return new Counts(sent, received, received, 0, 0, 0, 0);
    }

    @ParameterizedTest
    @CsvSource({"0,0,8", "1,0,1", "0,1,1", "1000,1000,1", "1000,1000,2", "1000,1000,64", "10000,10,256", "10,10000,7"})
    void losesNothingOverAPerfectWireAndNeedsNoReminder(long leftSends, long rightSends, int window) {
        Pair pair = new Pair(leftSends, rightSends, window, Wire.PERFECT, Wire.PERFECT);
        pair.run();
        assertThat(pair.reminders).isZero();
        assertThat(pair.left.counts()).isEqualTo(perfect(leftSends, rightSends));
        assertThat(pair.right.counts()).isEqualTo(perfect(rightSends, leftSends));
        assertThat(pair.right.counts().lost()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 64})
    void neverHasMoreThanAWindowUnderWay(int window) {
        Pair pair = new Pair(1000, 1000, window, Wire.PERFECT, Wire.PERFECT);
        pair.run();
        assertThat(pair.mostOnWayToRight).isEqualTo(window);
    }

    @Test
    void stopsAtTheWindowUntilItIsAcknowledged() {
        NumberedExchange exchange = new NumberedExchange(RIGHT, LEFT, 10, 0, 3);
        byte[] frame = new byte[NumberedFrames.MAX_LENGTH];
        for (int i = 0; i < 3; i++) {
            assertThat(exchange.nextLength()).isEqualTo(NumberedFrames.length(i));
            exchange.write(MemorySegment.ofArray(frame), 0);
        }
        assertThat(exchange.nextLength()).isZero();
        assertThatThrownBy(() -> exchange.write(MemorySegment.ofArray(frame), 0))
                .isInstanceOf(IllegalStateException.class);
    }

    /** Numbered frames of one direction meet each fault by chance, and each is written down. */
    private static final class FaultyWire implements Wire {
        private final Random random;
        private byte[] held = new byte[0];
        int lost;
        int corrupt;
        int duplicates;
        int reordered;
        int foreign;

        FaultyWire(long seed) {
            random = new Random(seed);
        }

        @Override
        public void send(byte[] frame, Deque<byte[]> wire) {
            byte[] late = held;
            held = new byte[0];
            int fate = isNumbered(frame) ? random.nextInt(20) : -1;
            switch (fate) {
                case 0 -> lost++;
                case 1 -> {
                    frame[random.nextInt(frame.length)] ^= (byte) (1 + random.nextInt(255));
                    wire.add(frame);
                    corrupt++;
                }
                case 2 -> {
                    wire.add(frame);
                    wire.add(frame.clone());
                    duplicates++;
                }
                case 3 -> {
                    wire.add(frame);
                    wire.add(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 6, 0, 1});
                    foreign++;
                }
                case 4 -> held = frame;
                default -> wire.add(frame);
            }
            if (late.length > 0) {
                wire.add(late);
                // It is late only if something whole, which told of a higher number, came before it.
                boolean overtaken = fate != 0 && fate != 1 && fate != 4;
                reordered += overtaken ? 1 : 0;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void countsExactlyWhatBefell(long seed) {
        FaultyWire faulty = new FaultyWire(seed);
        Pair pair = new Pair(5000, 5000, 32, faulty, Wire.PERFECT);
        pair.run();
        Counts counts = pair.right.counts();
        assertThat(counts.corrupt()).isEqualTo(faulty.corrupt).isPositive();
        assertThat(counts.lost()).isEqualTo(faulty.lost).isPositive();
        assertThat(counts.duplicates()).isEqualTo(faulty.duplicates).isPositive();
        assertThat(counts.reordered()).isEqualTo(faulty.reordered).isPositive();
        assertThat(counts.foreign()).isEqualTo(faulty.foreign).isPositive();
        assertThat(counts.received()).isEqualTo(5000 - faulty.lost - faulty.corrupt);
        assertThat(pair.left.counts()).isEqualTo(perfect(5000, 5000));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 6, 12, 13, 14, 15, 16, 23, 24, 31, 32, 39, 40, 59})
    void countsDamageToAnyFieldAsOneCorruptFrameAndNoneLost(int at) {
        int[] number = new int[1];
        Pair pair = new Pair(
                100,
                100,
                8,
                (frame, wire) -> {
                    if (isNumbered(frame) && number[0]++ == 50) {
                        frame[at] ^= 0x10;
                    }
                    wire.add(frame);
                },
                Wire.PERFECT);
        pair.run();
        assertThat(pair.right.counts()).isEqualTo(new Counts(100, 100, 99, 1, 0, 0, 0));
        assertThat(pair.right.counts().lost()).isZero();
    }

    @Test
    void comesToAnEndWhenEverythingIsLost() {
        Pair pair = new Pair(
                1000,
                1000,
                16,
                (frame, wire) -> {
                    if (!isNumbered(frame)) {
                        wire.add(frame);
                    }
                },
                Wire.PERFECT);
        pair.run();
        assertThat(pair.right.counts()).isEqualTo(new Counts(1000, 1000, 0, 0, 0, 0, 0));
        assertThat(pair.right.counts().lost()).isEqualTo(1000);
        assertThat(pair.left.counts().lost()).isZero();
    }

    @Test
    void comesToAnEndWhenTheVeryLastFrameIsLost() {
        int[] number = new int[1];
        Pair pair = new Pair(
                100,
                0,
                16,
                (frame, wire) -> {
                    if (!isNumbered(frame) || number[0]++ != 99) {
                        wire.add(frame);
                    }
                },
                Wire.PERFECT);
        pair.run();
        assertThat(pair.right.counts().lost()).isEqualTo(1);
        assertThat(pair.reminders).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void losesNoFrameWhenOnlyAcknowledgementsAreLost(long seed) {
        Random random = new Random(seed);
        Wire forgetful = (frame, wire) -> {
            if (isNumbered(frame) || random.nextBoolean()) {
                wire.add(frame);
            }
        };
        Pair pair = new Pair(500, 0, 8, forgetful, forgetful);
        pair.run();
        assertThat(pair.right.counts()).isEqualTo(perfect(0, 500));
    }

    @Test
    void takesFramesOfAnotherExchangeForForeign() {
        NumberedExchange exchange = new NumberedExchange(RIGHT, LEFT, 10, 10, 4);
        byte[] frame = new byte[NumberedFrames.MAX_LENGTH];
        MemorySegment segment = MemorySegment.ofArray(frame);
        NumberedFrames.write(segment, 0, LEFT, RIGHT, 10, 0);
        exchange.accept(segment, 0, NumberedFrames.length(10)); // numbers go from 0 to 9
        NumberedFrames.write(segment, 0, LEFT, RIGHT, 1, 1);
        exchange.accept(segment, 0, NumberedFrames.length(1)); // acknowledges what was never sent
        assertThat(exchange.counts()).isEqualTo(new Counts(0, 10, 0, 0, 0, 0, 2));
    }

    @Test
    void refusesAWindowOfNothing() {
        assertThatThrownBy(() -> new NumberedExchange(RIGHT, LEFT, 1, 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("window=0");
    }
}
