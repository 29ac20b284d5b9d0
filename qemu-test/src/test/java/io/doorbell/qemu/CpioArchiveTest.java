package io.doorbell.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CpioArchiveTest {

    @Test
    void startsHeadersAndContentsAtMultiplesOfFourBytes() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (CpioArchive archive = new CpioArchive(out)) {
            archive.folder("bin");
            archive.executable("bin/a", "12345".getBytes(StandardCharsets.US_ASCII));
        }
        String bytes = out.toString(StandardCharsets.US_ASCII);

        String folder = "070701" + "00000001" + "000041ED" + "0".repeat(16) + "00000001" + "0".repeat(8) + "00000000"
                + "0".repeat(32) + "00000004" + "00000000" + "bin\0" + "\0\0";
        String file = "070701" + "00000002" + "000081ED" + "0".repeat(16) + "00000001" + "0".repeat(8) + "00000005"
                + "0".repeat(32) + "00000006" + "00000000" + "bin/a\0" + "12345\0\0\0";
        assertThat(bytes).startsWith(folder + file);
        assertThat(bytes.indexOf("070701", folder.length() + file.length())).isEqualTo(folder.length() + file.length());
        assertThat(bytes).contains("TRAILER!!!\0");
        assertThat(bytes.length() % 4).isZero();
    }
}
