package io.doorbell.qemu.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumberedFramesTest {

    private static final long DESTINATION = 0x5254_0012_3456L;
    private static final long SOURCE = 0x0200_0000_00ffL;

    @Test
    void givesFramesEveryLengthThatEthernetAllows() {
        BitSet lengths = new BitSet();
        LongStream.range(0, 100_000).mapToInt(NumberedFrames::length).forEach(lengths::set);
        assertThat(lengths.nextSetBit(0)).isEqualTo(60);
        assertThat(lengths.nextClearBit(60))
                .as("the first length from 60 up that does not come up")
                .isEqualTo(1515);
        assertThat(lengths.cardinality()).isEqualTo(1514 - 60 + 1);
    }

    @Test
    void writesTheHeaderThatItDocuments() {
        byte[] frame = frame(0x0102_0304_0506_0708L, 0x1112);
        assertThat(HexFormat.of().formatHex(frame, 0, 32))
                .isEqualTo("525400123456" + "0200000000ff" + "88b5" + "4e75" + "0102030405060708" + "0000000000001112");
        MemorySegment segment = MemorySegment.ofArray(frame);
        assertThat(NumberedFrames.number(segment, 0)).isEqualTo(0x0102_0304_0506_0708L);
        assertThat(NumberedFrames.acknowledged(segment, 0)).isEqualTo(0x1112);
    }

    @Test
    void writesNothingBeyondTheFrame() {
        for (long number = 0; number < 3000; number++) {
            byte[] around = new byte[1600];
            Arrays.fill(around, (byte) 0x5A);
            NumberedFrames.write(MemorySegment.ofArray(around), 3, DESTINATION, SOURCE, number, 0);
            int end = 3 + NumberedFrames.length(number);
            assertThat(around).startsWith(0x5A, 0x5A, 0x5A);
            assertThat(Arrays.copyOfRange(around, end, around.length)).containsOnly(0x5A);
        }
    }

    @Test
    void findsItsOwnFramesWholeWhereverTheyLie() {
        byte[] room = new byte[1600];
        MemorySegment segment = MemorySegment.ofArray(room);
        for (long number = 0; number < 3000; number++) {
            long offset = number % 17;
            NumberedFrames.write(segment, offset, DESTINATION, SOURCE, number, 2 * number);
            int length = NumberedFrames.length(number);
            assertThat(NumberedFrames.isOurs(segment, offset, length)).isTrue();
            assertThat(NumberedFrames.isIntact(segment, offset, length)).isTrue();
        }
    }

    /** Frames of the least and the greatest length, and of all that leave 0 to 7 bytes behind the last whole word. */
    static IntStream lengths() {
        return IntStream.concat(IntStream.rangeClosed(60, 68), IntStream.of(1513, 1514));
    }

    @ParameterizedTest
    @MethodSource("lengths")
    void noticesDamageToAnyByte(int length) {
        byte[] frame = frame(numberOfLength(length), 7);
        MemorySegment segment = MemorySegment.ofArray(frame);
        for (int at = 0; at < length; at++) {
            byte right = frame[at];
            for (int damage = 1; damage < 256; damage++) {
                frame[at] = (byte) (right ^ damage);
                assertThat(NumberedFrames.isOurs(segment, 0, length) && !NumberedFrames.isIntact(segment, 0, length))
                        .as("byte %d xor 0x%02x is seen as damage to a frame of ours", at, damage)
                        .isTrue();
            }
            frame[at] = right;
        }
        assertThat(NumberedFrames.isIntact(segment, 0, length)).isTrue();
    }

    @Test
    void noticesMissingAndAddedBytes() {
        byte[] longer = Arrays.copyOf(frame(5, 0), 2000);
        MemorySegment segment = MemorySegment.ofArray(longer);
        for (int length = 14; length < 2000; length++) {
            assertThat(NumberedFrames.isOurs(segment, 0, length)).isTrue();
            assertThat(NumberedFrames.isIntact(segment, 0, length)).isEqualTo(length == NumberedFrames.length(5));
        }
    }

    @Test
    void noticesThePayloadOfAnotherFrame() {
        long other = numberOfLength(100);
        long number = LongStream.range(other + 1, other + 100_000)
                .filter(n -> NumberedFrames.length(n) == 100)
                .findFirst()
                .orElseThrow();
        byte[] frame = frame(number, 0);
        System.arraycopy(frame(other, 0), 32, frame, 32, 100 - 32);
        assertThat(NumberedFrames.isIntact(MemorySegment.ofArray(frame), 0, 100))
                .isFalse();
    }

    @Test
    void noticesTwoWordsOfThePayloadThatChangedPlaces() {
        byte[] frame = frame(numberOfLength(1514), 0);
        MemorySegment segment = MemorySegment.ofArray(frame);
        long first = segment.get(ValueLayout.JAVA_LONG_UNALIGNED, 40);
        segment.set(ValueLayout.JAVA_LONG_UNALIGNED, 40, segment.get(ValueLayout.JAVA_LONG_UNALIGNED, 800));
        segment.set(ValueLayout.JAVA_LONG_UNALIGNED, 800, first);
        assertThat(NumberedFrames.isIntact(segment, 0, 1514)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ffffffffffff5254001234560806000108000604000152540012345600000000000000000000",
                "3333000000165254001234568600" + "6000000000240001fe80000000000000",
                "ffffffffffff5254001234560800" + "45000054",
                "ffffffffffff525400123456",
                ""
            })
    void leavesTheFramesOfOthersAlone(String hex) {
        byte[] frame = HexFormat.of().parseHex(hex);
        assertThat(NumberedFrames.isOurs(MemorySegment.ofArray(frame), 0, frame.length))
                .isFalse();
    }

    private static long numberOfLength(int length) {
        return LongStream.range(0, 1_000_000)
                .filter(number -> NumberedFrames.length(number) == length)
                .findFirst()
                .orElseThrow();
    }

    private static byte[] frame(long number, long acknowledged) {
        byte[] frame = new byte[NumberedFrames.length(number)];
        NumberedFrames.write(MemorySegment.ofArray(frame), 0, DESTINATION, SOURCE, number, acknowledged);
        return frame;
    }
}
