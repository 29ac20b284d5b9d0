package io.doorbell.bench.result;

import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/** Curves over two axes, as an SVG document. */
public final class Plot {

    private static final int LEFT = 70;
    private static final int TOP = 40;
    private static final int WIDTH = 560;
    private static final int HEIGHT = 300;
    private static final int LEGEND = 190;
    private static final int BOTTOM = 46;
    private static final List<String> COLOURS =
            List.of("#4a90c2", "#d98c5f", "#6aa84f", "#8e63b0", "#999999", "#c2504a");

    /** Curves of no more points have them marked: each was measured, and the line in between is but a guess. */
    private static final int MOST_MARKED = 16;

    private static final int MOST_STEPS = 6;

    /** A point of a curve; a value on a logarithmic axis is above 0. */
    public record Point(double x, double y) {}

    /**
     * An axis, from its first tick to its last.
     *
     * @param label what is shown, with the unit
     * @param ticks values and what to write there, the smallest first; at least two
     * @param logarithmic whether the same factor is the same distance everywhere, rather than the same difference
     */
    public record Axis(String label, SequencedMap<Double, String> ticks, boolean logarithmic) {

        /** From 0, in some steps of 1, 2 or 5 times a power of ten, as far as {@code most}, which is above 0. */
        public static Axis linear(String label, double most) {
            double power = Math.pow(10, Math.floor(Math.log10(most / MOST_STEPS)));
            double step = DoubleStream.of(power, 2 * power, 5 * power)
                    .filter(size -> size * MOST_STEPS >= most)
                    .findFirst()
                    .orElse(10 * power);
            SequencedMap<Double, String> ticks = new TreeMap<>();
            for (int i = 0; i <= Math.ceil(most / step); i++) {
                double tick = Math.rint(i * step * 1e6) / 1e6; // 3 times 0.1 is 0.3, and not a bit more
                ticks.put(tick, number(tick));
            }
            return new Axis(label, ticks, false);
        }

        /** Logarithmic, with a tick at each power of ten. */
        public static Axis decades(String label, double from, double to) {
            SequencedMap<Double, String> ticks = new TreeMap<>();
            for (double tick = from; tick <= to; tick *= 10) {
                ticks.put(tick, number(tick));
            }
            return new Axis(label, ticks, true);
        }

        /** Where a value is: 0 at the first tick, 1 at the last; what is beyond is put there. */
        double position(double value) {
            double low = scale(ticks.firstEntry().getKey());
            double high = scale(ticks.lastEntry().getKey());
            return Math.clamp((scale(value) - low) / (high - low), 0, 1);
        }

        private double scale(double value) {
            return logarithmic ? Math.log(value) : value;
        }
    }

    private Plot() {}

    /** Without a fraction where there is none. */
    public static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
    }

    public static String of(String title, Axis x, Axis y, SequencedMap<String, List<Point>> curves) {
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                        + " font-size=\"12\">%n",
                LEFT + WIDTH + LEGEND, TOP + HEIGHT + BOTTOM));
        svg.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        Chart.text(svg, 10, 18, " font-weight=\"bold\"", title);
        x.ticks().forEach((value, label) -> {
            double at = across(x, value);
            Chart.line(svg, at, TOP, at, TOP + HEIGHT, "#ddd", "");
            Chart.text(svg, at, TOP + HEIGHT + 16, " text-anchor=\"middle\"", label);
        });
        y.ticks().forEach((value, label) -> {
            double at = up(y, value);
            Chart.line(svg, LEFT, at, LEFT + WIDTH, at, "#ddd", "");
            Chart.text(svg, LEFT - 6, at + 4, " text-anchor=\"end\"", label);
        });
        Chart.text(svg, LEFT + WIDTH / 2.0, TOP + HEIGHT + 36, " text-anchor=\"middle\" fill=\"#666\"", x.label());
        Chart.text(svg, LEFT, TOP - 8, " text-anchor=\"end\" fill=\"#666\"", y.label());
        int number = 0;
        for (var curve : curves.entrySet()) {
            String colour = COLOURS.get(number % COLOURS.size());
            String points = curve.getValue().stream()
                    .map(point -> String.format(Locale.ROOT, "%.1f,%.1f", across(x, point.x()), up(y, point.y())))
                    .collect(Collectors.joining(" "));
            svg.append(String.format(
                    "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>%n", points, colour));
            if (curve.getValue().size() <= MOST_MARKED) {
                mark(svg, x, y, curve.getValue(), colour);
            }
            int row = TOP + 10 + number * 20;
            Chart.line(svg, LEFT + WIDTH + 12, row, LEFT + WIDTH + 32, row, colour, " stroke-width=\"2\"");
            Chart.text(svg, LEFT + WIDTH + 38, row + 4, "", curve.getKey());
            number++;
        }
        return svg.append("</svg>\n").toString();
    }

    private static void mark(StringBuilder svg, Axis x, Axis y, List<Point> points, String colour) {
        for (Point point : points) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>%n",
                    across(x, point.x()),
                    up(y, point.y()),
                    colour));
        }
    }

    private static double across(Axis axis, double value) {
        return LEFT + axis.position(value) * WIDTH;
    }

    private static double up(Axis axis, double value) {
        return TOP + (1 - axis.position(value)) * HEIGHT;
    }
}
