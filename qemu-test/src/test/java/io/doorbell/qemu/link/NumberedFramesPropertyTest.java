package io.doorbell.qemu.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** What every judgement by numbered frames rests on. */
class NumberedFramesPropertyTest {

    private static final long MOST = (1L << 48) - 1;

    private final MemorySegment memory = MemorySegment.ofArray(new byte[2 * NumberedFrames.MAX_LENGTH]);

    private boolean isGood(long at, int length) {
        return NumberedFrames.isOurs(memory, at, length) && NumberedFrames.isIntact(memory, at, length);
    }

    @Property
    void aFrameIsWholeAndSaysWhatWasWritten(
            @ForAll @IntRange(max = 1000) int at,
            @ForAll @LongRange(min = 0) long number,
            @ForAll @LongRange(min = 0) long acknowledged,
            @ForAll @LongRange(min = 0, max = MOST) long destination,
            @ForAll @LongRange(min = 0, max = MOST) long source) {
        NumberedFrames.write(memory, at, destination, source, number, acknowledged);

        int length = NumberedFrames.length(number);
        assertThat(length).isBetween(NumberedFrames.MIN_LENGTH, NumberedFrames.MAX_LENGTH);
        assertThat(isGood(at, length)).isTrue();
        assertThat(NumberedFrames.number(memory, at)).isEqualTo(number);
        assertThat(NumberedFrames.acknowledged(memory, at)).isEqualTo(acknowledged);
    }

    @Property(tries = 5000)
    void noBitChangesUnnoticed(
            @ForAll @LongRange(min = 0) long number,
            @ForAll @IntRange(max = NumberedFrames.MAX_LENGTH - 1) int anywhere,
            @ForAll @IntRange(max = 7) int bit) {
        NumberedFrames.write(memory, 0, MOST, 1, number, 0);
        int length = NumberedFrames.length(number);
        int at = anywhere % length;

        byte changed = (byte) (memory.get(ValueLayout.JAVA_BYTE, at) ^ 1 << bit);
        memory.set(ValueLayout.JAVA_BYTE, at, changed);

        assertThat(isGood(0, length)).isFalse();
    }

    @Property(tries = 5000)
    void noByteIsMissingOrAddedUnnoticed(
            @ForAll @LongRange(min = 0) long number,
            @ForAll @IntRange(max = 2 * NumberedFrames.MAX_LENGTH) int length) {
        NumberedFrames.write(memory, 0, MOST, 1, number, 0);

        assertThat(isGood(0, length)).isEqualTo(length == NumberedFrames.length(number));
    }
}
