package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.Rss;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The judge of hashes, judged by the examples of Microsoft's "Verifying the RSS Hash Calculation". */
class ToeplitzTest {

    @ParameterizedTest
    @CsvSource({
        // 66.9.149.187:2794 to 161.142.100.80:1766
        "420995bb a18e6450, 323e8fc2",
        "420995bb a18e6450 0aea06e6, 51ccc178",
        // 199.92.111.2:14230 to 65.69.140.83:4739
        "c75c6f02 41458c53, d718262a",
        "c75c6f02 41458c53 37961283, c626b0ea",
    })
    void givesTheHashesThatMicrosoftPublished(String input, String hash) {
        byte[] bytes = HexFormat.of().parseHex(input.replace(" ", ""));
        assertThat(Toeplitz.hash(Rss.over(1).key(), bytes)).isEqualTo(HexFormat.fromHexDigits(hash));
    }
}
