package io.doorbell.bench.result;

import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** Ratios as a picture: a bar a row, with a whisker from the lowest pair to the highest, and a line at 1. */
public final class Chart {

    private static final int LABEL = 330;
    private static final int PLOT = 480;
    private static final int VALUE = 70;
    private static final int ROW = 22;
    private static final int BAR = 14;
    private static final int TOP = 46;
    private static final int BOTTOM = 34;

    private Chart() {}

    /** An SVG document, with the rows that compare. */
    public static String of(List<Row> all, SequencedMap<String, String> machine) {
        List<Row> rows = all.stream().filter(row -> row.subject().compares()).toList();
        double most = rows.stream().mapToDouble(Row::high).max().orElse(1);
        double scale = PLOT / Math.max(most, 1.2);
        int height = TOP + rows.size() * ROW + BOTTOM;
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                        + " font-size=\"12\">%n",
                LABEL + PLOT + VALUE, height));
        svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        text(svg, 10, 18, "", "Doorbell as a multiple of its peer: median, lowest and highest of the pairs");
        text(
                svg,
                10,
                height - 12,
                " fill=\"#666\" font-size=\"10\"",
                machine.entrySet().stream()
                        .map(fact -> fact.getKey() + " " + fact.getValue())
                        .collect(Collectors.joining(", ")));
        for (int i = 0; i < rows.size(); i++) {
            draw(svg, rows.get(i), TOP + i * ROW, scale);
        }
        line(svg, LABEL + scale, TOP - 12, LABEL + scale, height - BOTTOM, "#000", " stroke-dasharray=\"4 3\"");
        text(svg, LABEL + scale - 3, TOP - 15, "", "1");
        return svg.append("</svg>\n").toString();
    }

    private static void draw(StringBuilder svg, Row row, int y, double scale) {
        Subject subject = row.subject();
        boolean ahead = subject.moreIsBetter() ? row.ratio() >= 1 : row.ratio() <= 1;
        int middle = y + BAR / 2;
        String label = subject.scenario() + (subject.ring().isEmpty() ? "" : ", " + subject.ring());
        text(svg, LABEL - 8, middle + 4, " text-anchor=\"end\"", label + " / " + subject.peer());
        svg.append(String.format(
                "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
                LABEL, y, row.ratio() * scale, BAR, ahead ? "#4a90c2" : "#d98c5f"));
        line(svg, LABEL + row.low() * scale, middle, LABEL + row.high() * scale, middle, "#333", "");
        line(svg, LABEL + row.low() * scale, middle - 3, LABEL + row.low() * scale, middle + 3, "#333", "");
        line(svg, LABEL + row.high() * scale, middle - 3, LABEL + row.high() * scale, middle + 3, "#333", "");
        text(svg, LABEL + row.high() * scale + 6, middle + 4, "", String.format("%.2f", row.ratio()));
    }

    static void line(StringBuilder svg, double x1, double y1, double x2, double y2, String colour, String more) {
        svg.append(String.format(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"%s/>%n",
                x1, y1, x2, y2, colour, more));
    }

    static void text(StringBuilder svg, double x, double y, String attributes, String words) {
        svg.append(String.format("<text x=\"%.1f\" y=\"%.1f\"%s>%s</text>%n", x, y, attributes, escape(words)));
    }

    private static String escape(String words) {
        return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
