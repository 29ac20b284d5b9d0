package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.DoorbellException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Whatever numbers an application calls with, a frame stays within its buffer and a buffer has one owner. */
class FramePropertyTest {

    private static final int BUFFERS = 16;
    private static final int BUFFER_SIZE = 512;

    /** As large as a buffer. */
    private static final MemorySegment FULL = Arena.ofAuto().allocate(BUFFER_SIZE);

    /** A call with two numbers of any size. */
    record Call(int method, int first, int second) {}

    private final FramePool pool =
            FramePool.in(Arena.ofAuto().allocate(FramePool.bytesFor(BUFFERS, BUFFER_SIZE), 64), BUFFERS, BUFFER_SIZE);

    @Property
    void aFrameStaysWithinItsBuffer(@ForAll("calls") List<Call> calls) {
        FrameBatch batch = new FrameBatch(1);
        pool.allocate(batch, 1);
        Frame frame = batch.frame(0);
        try {
            frame.length(100);
            for (Call call : calls) {
                int length = frame.length();
                int headroom = frame.headroom();
                try {
                    change(frame, call);
                } catch (DoorbellException | IndexOutOfBoundsException refused) {
                    assertThat(frame.length()).isEqualTo(length);
                    assertThat(frame.headroom()).isEqualTo(headroom);
                }
                assertThat(frame.headroom()).isNotNegative();
                assertThat(frame.length()).isNotNegative();
                assertThat(frame.headroom() + frame.length()).isLessThanOrEqualTo(BUFFER_SIZE);
            }
        } finally {
            batch.release();
        }
    }

    private static void change(Frame frame, Call call) {
        switch (call.method) {
            case 0 -> frame.length(call.first);
            case 1 -> frame.moveStart(call.first);
            case 2 -> frame.addHeadroom(call.first);
            case 3 -> {
                frame.needsChecksum(call.first, call.second);
                assertThat((long) frame.checksumStart() + frame.checksumOffset() + 2)
                        .isLessThanOrEqualTo(frame.length());
            }
            case 4 -> {
                frame.segment(Segmentation.TCP4, call.first, call.second);
                assertThat(frame.segmentHeader()).isBetween(1, frame.length());
                assertThat(frame.segmentSize()).isPositive();
            }
            case 5 -> frame.setLong(call.first, -1);
            case 6 -> frame.setByte(call.first, (byte) -1);
            case 7 -> frame.setMac(call.first, MacAddress.BROADCAST);
            case 8 -> frame.swapMacs();
            case 10 -> frame.setBytes(call.first, FULL, 0, call.second);
            case 11 -> frame.getBytes(call.first, FULL, call.second, BUFFER_SIZE / 2);
            case 12 -> assertThat(frame.asSegment().byteSize()).isEqualTo(frame.length());
            case 13 -> {
                frame.tag(call.first);
                assertThat(frame.tag()).isEqualTo(call.first);
            }
            default -> frame.vlanTag(call.first);
        }
    }

    @Property
    void aBufferHasOneOwner(@ForAll("calls") List<Call> calls) {
        List<FrameBatch> batches = List.of(new FrameBatch(5), new FrameBatch(7), new FrameBatch(BUFFERS));
        try {
            for (Call call : calls) {
                FrameBatch batch = batches.get(Math.floorMod(call.second, batches.size()));
                FrameBatch other = batches.get(Math.floorMod(call.second + 1, batches.size()));
                try {
                    move(batch, other, call);
                } catch (IllegalArgumentException | IllegalStateException | IndexOutOfBoundsException refused) {
                    // and nothing has changed hands, as is seen below
                }
                List<Long> held = new ArrayList<>();
                batches.forEach(each -> {
                    for (int i = 0; i < each.size(); i++) {
                        held.add(each.frame(i).position());
                    }
                });
                Set<Long> different = new HashSet<>(held);
                assertThat(different).hasSameSizeAs(held);
                assertThat(pool.available()).isEqualTo(BUFFERS - held.size());
            }
        } finally {
            batches.forEach(FrameBatch::release);
        }
        assertThat(pool.available()).isEqualTo(BUFFERS);
    }

    private void move(FrameBatch batch, FrameBatch other, Call call) {
        switch (call.method) {
            case 0, 1, 2 -> pool.allocate(batch, call.first);
            case 3 -> batch.release(call.first);
            case 4 -> batch.moveTo(other, call.first);
            case 5 -> batch.moveTo(batch, call.first);
            case 6 -> batch.join(call.first, call.second);
            case 7 -> batch.release();
            case 8 -> batch.moveTo(call.first % 2 == 0 ? batch : other);
            case 9, 10 -> {
                FrameBatch third = new FrameBatch(2);
                batch.distribute(new int[] {call.first, 0, call.second, 1, 0, -1, call.first, 1}, other, third);
                third.release();
            }
            case 11 -> batch.copyTo(call.second % 2 == 0 ? batch : other, call.first, pool);
            case 12 -> pool.allocate(batch);
            default -> batch.slots(call.first);
        }
    }

    /** A frame of so many slots, for one of three batches, or for none of them. */
    record Packet(int slots, int choice) {}

    /** Held against a queue of packets for each batch, of so much room. */
    @Property
    void distributesWholeFramesInOrder(
            @ForAll("packets") List<Packet> packets, @ForAll @IntRange(min = 1, max = BUFFERS) int room) {
        FrameBatch in = new FrameBatch(BUFFERS);
        FrameBatch[] out = {new FrameBatch(room), new FrameBatch(BUFFERS), new FrameBatch(room)};
        int[] choice = new int[BUFFERS];
        List<List<Integer>> expected =
                List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        boolean[] refuses = new boolean[3];
        int kept = 3;
        for (int number = 0; number < packets.size(); number++) {
            Packet packet = packets.get(number);
            int at = in.size();
            if (packet.slots > in.remaining()) {
                break;
            }
            pool.allocate(in, packet.slots);
            in.join(at, packet.slots);
            choice[at] = packet.choice;
            int goesTo = packet.choice < 0 ? kept : packet.choice;
            if (goesTo != kept) {
                refuses[goesTo] |= expected.get(goesTo).size() + packet.slots > out[goesTo].capacity();
                goesTo = refuses[goesTo] ? kept : goesTo;
            }
            for (int i = at; i < in.size(); i++) {
                in.frame(i).tag(i);
                expected.get(goesTo).add(i);
            }
        }
        int before = in.size();
        try {
            assertThat(in.distribute(choice, out)).isEqualTo(before - in.size());
            for (int i = 0; i < out.length; i++) {
                assertThat(tags(out[i])).isEqualTo(expected.get(i));
            }
            assertThat(tags(in)).isEqualTo(expected.get(kept));
            assertThat(pool.available()).isEqualTo(BUFFERS - before);
        } finally {
            in.release();
            for (FrameBatch each : out) {
                each.release();
            }
        }
        assertThat(pool.available()).isEqualTo(BUFFERS);
    }

    private static List<Integer> tags(FrameBatch batch) {
        List<Integer> tags = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            tags.add(batch.frame(i).tag());
        }
        return tags;
    }

    @Provide
    Arbitrary<List<Packet>> packets() {
        return Combinators.combine(
                        Arbitraries.of(1, 1, 1, 2, 3), Arbitraries.integers().between(-1, 2))
                .as(Packet::new)
                .list()
                .ofMaxSize(BUFFERS);
    }

    @Provide
    Arbitrary<List<Call>> calls() {
        Arbitrary<Integer> numbers = Arbitraries.oneOf(
                Arbitraries.integers().between(-70, 520),
                Arbitraries.integers().between(-2, 6),
                Arbitraries.integers(),
                Arbitraries.of(Integer.MIN_VALUE, Integer.MIN_VALUE + 1, Integer.MAX_VALUE, Integer.MAX_VALUE - 1));
        return Combinators.combine(Arbitraries.integers().between(0, 13), numbers, numbers)
                .as(Call::new)
                .list()
                .ofMaxSize(40);
    }
}
