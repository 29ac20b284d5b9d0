package io.doorbell.bench.result;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class PlotTest {

    private static final Plot.Axis AXIS = Plot.Axis.decades("µs", 1, 100);

    private static Document draw(Plot.Point... points) throws Exception {
        String svg = Plot.of("A & B", AXIS, AXIS, new LinkedHashMap<>(Map.of("one", List.of(points))));
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    }

    private static List<double[]> points(Document svg) {
        Element curve = (Element) svg.getElementsByTagName("polyline").item(0);
        return Stream.of(curve.getAttribute("points").split(" ", -1))
                .map(point -> Stream.of(point.split(",", -1))
                        .mapToDouble(Double::parseDouble)
                        .toArray())
                .toList();
    }

    @Test
    void putsEachPowerOfTenAsFarFromTheLast() throws Exception {
        List<double[]> points = points(draw(new Plot.Point(1, 1), new Plot.Point(10, 10), new Plot.Point(100, 100)));

        assertThat(points.get(1)[0] - points.get(0)[0]).isPositive();
        assertThat(points.get(2)[0] - points.get(1)[0]).isCloseTo(points.get(1)[0] - points.get(0)[0], within(0.2));
        assertThat(points.get(0)[1]).as("up is more").isGreaterThan(points.get(1)[1]);
    }

    @Test
    void keepsToItsAxesWhateverTheValue() {
        assertThat(AXIS.position(0.001)).isZero();
        assertThat(AXIS.position(1e6)).isOne();
    }

    @Test
    void takesRoundStepsFromZeroOnALinearAxis() {
        assertThat(Plot.Axis.linear("Gbit/s", 108).ticks().values())
                .containsExactly("0", "20", "40", "60", "80", "100", "120");
        assertThat(Plot.Axis.linear("Gbit/s", 0.3).ticks().values())
                .containsExactly("0", "0.05", "0.1", "0.15", "0.2", "0.25", "0.3");
        assertThat(Plot.Axis.linear("Gbit/s", 27.8).ticks().values())
                .containsExactly("0", "5", "10", "15", "20", "25", "30");
    }

    @Test
    void putsEqualDifferencesAtEqualDistancesOnALinearAxis() {
        Plot.Axis axis = Plot.Axis.linear("Gbit/s", 120);

        assertThat(axis.position(0)).isZero();
        assertThat(axis.position(30)).isCloseTo(0.25, within(1e-9));
        assertThat(axis.position(120)).isOne();
    }

    @Test
    void marksFewPointsAndLeavesManyToTheLine() throws Exception {
        Plot.Point[] many =
                IntStream.rangeClosed(1, 50).mapToObj(i -> new Plot.Point(i, i)).toArray(Plot.Point[]::new);

        assertThat(draw(new Plot.Point(1, 1), new Plot.Point(10, 10))
                        .getElementsByTagName("circle")
                        .getLength())
                .isEqualTo(2);
        assertThat(draw(many).getElementsByTagName("circle").getLength()).isZero();
    }

    @Test
    void namesCurvesAndAxes() throws Exception {
        assertThat(draw(new Plot.Point(1, 1)).getDocumentElement().getTextContent())
                .contains("A & B", "one", "µs", "100");
    }
}
