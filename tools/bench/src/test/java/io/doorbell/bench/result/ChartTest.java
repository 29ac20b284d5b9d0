package io.doorbell.bench.result;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class ChartTest {

    private static Document draw(Row... rows) throws Exception {
        String svg = Chart.of(List.of(rows), new LinkedHashMap<>(Map.of("CPU", "<fast>")));
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void drawsABarARowAsLongAsItsRatio() throws Exception {
        Document svg = draw(
                Row.of(RowTest.SUBJECT, List.of(new Row.Pair(1, 1))),
                Row.of(RowTest.SUBJECT, List.of(new Row.Pair(2, 1))));

        // The first is the background.
        Element one = (Element) svg.getElementsByTagName("rect").item(1);
        Element two = (Element) svg.getElementsByTagName("rect").item(2);
        assertThat(Double.parseDouble(two.getAttribute("width")))
                .isEqualTo(2 * Double.parseDouble(one.getAttribute("width")));
    }

    @Test
    void showsLongerTimesAsWorse() throws Exception {
        Subject times = new Subject("latency", "", "A", "µs", false, "work");
        Document svg =
                draw(Row.of(times, List.of(new Row.Pair(2, 1))), Row.of(RowTest.SUBJECT, List.of(new Row.Pair(2, 1))));

        Element worse = (Element) svg.getElementsByTagName("rect").item(1);
        Element better = (Element) svg.getElementsByTagName("rect").item(2);
        assertThat(worse.getAttribute("fill")).isNotEqualTo(better.getAttribute("fill"));
    }

    @Test
    void isWellFormedWhateverANameHas() throws Exception {
        Document svg = draw(Row.of(RowTest.SUBJECT, List.of(new Row.Pair(1, 1))));

        assertThat(svg.getDocumentElement().getTextContent()).contains("A & B", "CPU <fast>");
    }
}
