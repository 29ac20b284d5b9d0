package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** The bill of materials names all libraries, in the version that they are built in. */
class BomTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final XPath XPATH = XPathFactory.newInstance().newXPath();

    private final Document parent = parse("pom.xml");
    private final Document bom = parse("tools/bom/pom.xml");

    private static Document parse(String pom) {
        try {
            File file = ROOT.resolve(pom).toFile();
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file);
        } catch (Exception e) {
            throw new AssertionError(pom, e);
        }
    }

    private static List<String> texts(Document pom, String path) {
        try {
            NodeList nodes = (NodeList) XPATH.evaluate(path, pom, XPathConstants.NODESET);
            return IntStream.range(0, nodes.getLength())
                    .mapToObj(i -> nodes.item(i).getTextContent().strip())
                    .toList();
        } catch (Exception e) {
            throw new AssertionError(path, e);
        }
    }

    /** What is not in tools, nor within another module, is a library. */
    @Test
    void namesEveryLibrary() {
        Stream<String> libraries = texts(parent, "/project/modules/module").stream()
                .filter(Predicate.not(module -> module.startsWith("tools") || module.contains("/")))
                .map(module ->
                        texts(parse(module + "/pom.xml"), "/project/artifactId").getFirst());

        assertThat(texts(bom, "/project/dependencyManagement/dependencies/dependency/artifactId"))
                .containsExactlyInAnyOrderElementsOf(libraries.toList());
    }

    @Test
    void hasTheVersionThatTheyAreBuiltIn() {
        assertThat(texts(bom, "/project/version")).isEqualTo(texts(parent, "/project/version"));
        assertThat(texts(bom, "/project/dependencyManagement/dependencies/dependency/version"))
                .isNotEmpty()
                .containsOnly("${project.version}");
    }
}
