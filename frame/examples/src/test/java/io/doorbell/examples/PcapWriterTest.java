package io.doorbell.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.spi.BoundedWait;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A neighbour sends frames to the capture, whose file is read by Wireshark's tshark, and by the format's description. */
class PcapWriterTest {

    private static final int FRAMES = 5000;
    private static final int HEADERS = 14;
    private static final int SLOT = 2000;

    @TempDir
    private Path dir;

    private Path file;
    private Instant before;

    /** Frames of many lengths, one in ten of them longer than a buffer, whose payload is their number and its repetition. */
    private static byte[] frame(int number) {
        ByteBuffer frame = ByteBuffer.allocate(number % 10 == 9 ? 2049 + number : 60 + number * 7 % 1455);
        frame.putShort((short) 0x5254)
                .putInt(1)
                .putShort((short) 0x5254)
                .putInt(2)
                .putShort((short) 0x88b5);
        frame.putInt(number);
        while (frame.hasRemaining()) {
            frame.put((byte) number);
        }
        return frame.array();
    }

    private void capture() throws Exception {
        Path socket = dir.resolve("capture.sock");
        file = dir.resolve("frames.pcap");
        before = Instant.now();
        try (RunningExample _ = running(socket, file);
                Nic neighbour = Nic.open("vhost-user:" + socket)) {
            FrameBatch batch = new FrameBatch(32);
            for (int number = 0; number < FRAMES || !batch.isEmpty(); ) {
                if (number < FRAMES && append(batch, neighbour.pool(), frame(number))) {
                    number++;
                } else {
                    neighbour.txQueue(0).send(batch);
                }
            }
            assertThat(BoundedWait.until(() -> neighbour.txQueue(0).reclaim() == 0, RunningExample.SOON))
                    .as("the other side has read all frames")
                    .isTrue();
        }
    }

    /** Whether the batch had room for another frame, and the pool enough buffers. */
    private static boolean append(FrameBatch batch, FramePool pool, byte[] bytes) {
        int slots = Math.ceilDiv(bytes.length, SLOT);
        if (batch.remaining() < slots || pool.available() < slots) {
            return false;
        }
        int first = batch.size();
        pool.allocate(batch, slots);
        for (int i = 0; i < slots; i++) {
            batch.frame(first + i)
                    .copyFrom(Arrays.copyOfRange(bytes, i * SLOT, Math.min((i + 1) * SLOT, bytes.length)));
        }
        batch.join(first, slots);
        return true;
    }

    private static RunningExample running(Path socket, Path file) throws Exception {
        RunningExample running =
                new RunningExample(() -> PcapWriter.main("vhost-user-backend:" + socket, file.toString()));
        try {
            running.awaitSocket(socket);
            return running;
        } catch (Exception | Error e) {
            running.close();
            throw e;
        }
    }

    @Test
    void recordsEachFrameWithItsLengthAndTime() throws Exception {
        capture();
        Instant after = Instant.now();
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(bytes.getInt()).as("magic").isEqualTo(0xa1b23c4d);
        assertThat(bytes.getShort()).as("major version").isEqualTo((short) 2);
        assertThat(bytes.getShort()).as("minor version").isEqualTo((short) 4);
        assertThat(bytes.getLong()).as("time zone, accuracy").isZero();
        assertThat(bytes.getInt()).as("longest").isEqualTo(262144);
        assertThat(bytes.getInt()).as("Ethernet").isEqualTo(1);
        Instant last = before;
        for (int number = 0; number < FRAMES; number++) {
            Instant time = Instant.ofEpochSecond(bytes.getInt(), bytes.getInt());
            assertThat(time).isBetween(last, after);
            last = time;
            byte[] expected = frame(number);
            assertThat(bytes.getInt()).as("recorded").isEqualTo(expected.length);
            assertThat(bytes.getInt()).as("on the wire").isEqualTo(expected.length);
            byte[] recorded = new byte[expected.length];
            bytes.get(recorded);
            assertThat(recorded).as("frame %d", number).isEqualTo(expected);
        }
        assertThat(bytes.hasRemaining()).isFalse();
    }

    @Test
    void writesWhatTsharkReads() throws Exception {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":", -1))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "tshark"))),
                "SKIPPED: there is no tshark on the PATH to judge the file; ./verify installs it on Debian as root");
        capture();
        List<String> expected = IntStream.range(0, FRAMES)
                .mapToObj(number ->
                        frame(number).length + "\t" + HexFormat.of().formatHex(frame(number), HEADERS, HEADERS + 4))
                .toList();
        List<String> seen = new ArrayList<>();
        for (String line : tshark("eth.src == " + MacAddress.parse("52:54:00:00:00:02"))) {
            String[] fields = line.split("\t", -1);
            seen.add(fields[0] + "\t" + fields[1].substring(0, 8));
        }
        assertThat(seen).isEqualTo(expected);
        assertThat(tshark("_ws.malformed")).isEmpty();
    }

    private List<String> tshark(String filter) throws IOException, InterruptedException {
        Path output = dir.resolve("tshark.txt");
        Path errors = dir.resolve("tshark.err");
        Process tshark = new ProcessBuilder(
                        "tshark",
                        "-r",
                        file.toString(),
                        "-Y",
                        filter,
                        "-T",
                        "fields",
                        "-e",
                        "frame.len",
                        "-e",
                        "data.data")
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        try {
            assertThat(tshark.waitFor(60, TimeUnit.SECONDS)).as("tshark ends").isTrue();
            assertThat(tshark.exitValue()).as(Files.readString(errors)).isZero();
            return Files.readAllLines(output);
        } finally {
            tshark.destroyForcibly();
        }
    }
}
