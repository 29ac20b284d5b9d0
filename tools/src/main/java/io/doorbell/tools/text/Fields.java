package io.doorbell.tools.text;

import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** Named facts, a line each, for people. */
public final class Fields {

    private final SequencedMap<String, String> lines = new LinkedHashMap<>();

    public Fields add(String name, Object value) {
        lines.put(name, value.toString());
        return this;
    }

    /** Each line ends in a line feed; of a value with several lines, the others are indented alike. */
    @Override
    public String toString() {
        int width = lines.keySet().stream().mapToInt(String::length).max().orElse(0) + 2;
        StringBuilder text = new StringBuilder();
        lines.forEach((name, value) -> text.append(name)
                .repeat(' ', width - name.length())
                .append(value.replace("\n", "\n" + " ".repeat(width)))
                .append('\n'));
        return text.toString();
    }
}
