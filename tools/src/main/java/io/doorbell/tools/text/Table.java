package io.doorbell.tools.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Text in aligned columns, for people. What is not known shows as a dash. */
public final class Table {

    private static final String GAP = "  ";
    private static final String UNKNOWN = "-";

    private final List<Column> columns;
    private final List<List<String>> rows = new ArrayList<>();

    /** A column's heading, and whether its cells, being numbers, line up at their right. */
    public record Column(String heading, boolean numeric) {}

    public Table(Column... columns) {
        this.columns = List.of(columns);
    }

    /** A column of words. */
    public static Column text(String heading) {
        return new Column(heading, false);
    }

    /** A column of numbers. */
    public static Column number(String heading) {
        return new Column(heading, true);
    }

    /** Adds a row; numbers get a comma between thousands, null and empty text become a dash. */
    public Table row(@Nullable Object... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException(
                    cells.length + " cells for " + columns.size() + " columns: " + Arrays.toString(cells));
        }
        rows.add(Arrays.stream(cells).map(Table::show).toList());
        return this;
    }

    private static String show(@Nullable Object cell) {
        return switch (cell) {
            case null -> UNKNOWN;
            case Integer i -> String.format("%,d", i);
            case Long l -> String.format("%,d", l);
            case Double d -> String.format("%,.2f", d);
            default -> cell.toString().isEmpty() ? UNKNOWN : cell.toString();
        };
    }

    /** The heading and all rows, each ending in a line feed. */
    @Override
    public String toString() {
        int[] widths = new int[columns.size()];
        List<List<String>> lines = new ArrayList<>();
        lines.add(columns.stream().map(Column::heading).toList());
        lines.addAll(rows);
        for (List<String> line : lines) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], line.get(i).length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> line : lines) {
            StringBuilder row = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String padding = " ".repeat(widths[i] - line.get(i).length());
                row.append(i == 0 ? "" : GAP);
                row.append(columns.get(i).numeric() ? padding + line.get(i) : line.get(i) + padding);
            }
            text.append(row.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
