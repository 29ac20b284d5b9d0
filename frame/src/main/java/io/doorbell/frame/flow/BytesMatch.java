package io.doorbell.frame.flow;

import io.doorbell.DoorbellException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Frames with certain bytes at certain places, from the first byte of the destination address on: {@code bytes 12=88cc}. A
 * frame that ends before the last of them does not match.
 *
 * @param bytes what to compare, 0 to 255, by how many bytes come before it
 */
public record BytesMatch(SortedMap<Integer, Integer> bytes) implements FlowMatch {

    /** More than any NIC looks at. */
    private static final int LAST_OFFSET = 0xffff;

    private static final Pattern FORM = Pattern.compile("[^=]+=([0-9a-f]{2})+");

    /** @throws DoorbellException when there is nothing to compare, or no frame has it */
    public BytesMatch {
        if (bytes.isEmpty()) {
            throw new DoorbellException("a match by bytes that names none is about all frames:"
                    + " name one, such as 'bytes 12=88cc', or spread them by RSS");
        }
        for (Map.Entry<Integer, Integer> entry : bytes.entrySet()) {
            if (entry.getKey() < 0 || entry.getKey() > LAST_OFFSET) {
                throw new DoorbellException(
                        "no frame has a byte " + entry.getKey() + ": they go from 0 to " + LAST_OFFSET);
            }
            if (entry.getValue() < 0 || entry.getValue() > 0xff) {
                throw new DoorbellException(
                        "byte " + entry.getKey() + " of a frame is 0 to 255, not " + entry.getValue());
            }
        }
        bytes = Collections.unmodifiableSortedMap(new TreeMap<>(bytes));
    }

    /**
     * Frames with these bytes behind {@code offset} others.
     *
     * @param values 0 to 255 each
     */
    public static BytesMatch at(int offset, int... values) {
        return new BytesMatch(with(new TreeMap<>(), offset, values));
    }

    /** Only those of them with these bytes, too; in place of those that were to be compared there. */
    public BytesMatch and(int offset, int... values) {
        return new BytesMatch(with(new TreeMap<>(bytes), offset, values));
    }

    private static SortedMap<Integer, Integer> with(SortedMap<Integer, Integer> bytes, int offset, int... values) {
        for (int i = 0; i < values.length; i++) {
            bytes.put(offset + i, values[i]);
        }
        return bytes;
    }

    static BytesMatch parse(String text, String... words) {
        SortedMap<Integer, Integer> bytes = new TreeMap<>();
        for (int i = 1; i < words.length; i++) {
            String word = words[i];
            if (!FORM.matcher(word).matches()) {
                throw FlowText.wrong(text, "'" + word + "' is no place and bytes there, such as 12=88cc");
            }
            int equals = word.indexOf('=');
            int offset = FlowText.number(text, word.substring(0, equals), "place in a frame", LAST_OFFSET);
            for (byte value : HexFormat.of().parseHex(word.substring(equals + 1))) {
                if (bytes.put(offset, Byte.toUnsignedInt(value)) != null) {
                    throw FlowText.wrong(text, "byte " + offset + " is there twice");
                }
                offset++;
            }
        }
        if (bytes.isEmpty()) {
            throw FlowText.wrong(text, "no place and bytes come behind 'bytes'");
        }
        return new BytesMatch(bytes);
    }

    @Override
    public FlowKind kind() {
        return FlowKind.BYTES;
    }

    /** How many bytes of a frame it looks at, from the first one on. */
    public int reach() {
        return bytes.lastKey() + 1;
    }

    /** In runs as long as can be, from the front to the back. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("bytes");
        int next = -1;
        for (Map.Entry<Integer, Integer> entry : bytes.entrySet()) {
            if (entry.getKey() != next) {
                text.append(' ').append(entry.getKey()).append('=');
            }
            text.append(HexFormat.of().toHexDigits(entry.getValue().byteValue()));
            next = entry.getKey() + 1;
        }
        return text.toString();
    }
}
