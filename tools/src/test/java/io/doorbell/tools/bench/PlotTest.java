package io.doorbell.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    void namesCurvesAndAxes() throws Exception {
        assertThat(draw(new Plot.Point(1, 1)).getDocumentElement().getTextContent())
                .contains("A & B", "one", "µs", "100");
    }
}
