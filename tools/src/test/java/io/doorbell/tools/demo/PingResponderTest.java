package io.doorbell.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PingResponderTest {

    private static final String OUR_MAC = "525400000001";
    private static final String KERNEL_MAC = "525400000002";
    private static final String OUR_IP = "c0000202";
    private static final String KERNEL_IP = "c0000201";

    private static final String ARP_REQUEST = "ffffffffffff" + KERNEL_MAC + "0806" + "0001080006040001" + KERNEL_MAC
            + KERNEL_IP + "000000000000" + OUR_IP + "00".repeat(18);

    // Seven bytes of data, so that the checksum has to cover an odd one. tshark calls all four checksums good.
    private static final String ECHO_REQUEST = OUR_MAC + KERNEL_MAC + "0800"
            + "45000023123440003f01a5a2" + KERNEL_IP + OUR_IP
            + "0800e7eb00070001" + "01020304050607" + "00".repeat(11);
    private static final String ECHO_REPLY = KERNEL_MAC + OUR_MAC + "0800"
            + "45000023123440004001a4a2" + OUR_IP + KERNEL_IP
            + "0000efeb00070001" + "01020304050607" + "00".repeat(11);

    private final FramePool pool = FramePool.create(1, 2048);
    private final FrameBatch batch = new FrameBatch(1);
    private final PingResponder responder = new PingResponder(MacAddress.parse("52:54:00:00:00:01"), 0xc0000202);

    @AfterEach
    void freeThePool() {
        batch.release();
        pool.close();
    }

    @Test
    void answersAnArpRequestForItsAddress() {
        Frame frame = frame(ARP_REQUEST);

        assertThat(responder.answer(frame)).isTrue();

        assertThat(hex(frame))
                .isEqualTo(KERNEL_MAC + OUR_MAC + "0806" + "0001080006040002" + OUR_MAC + OUR_IP + KERNEL_MAC
                        + KERNEL_IP + "00".repeat(18));
    }

    @Test
    void answersAnEchoRequestWithItsDataAndRightChecksums() {
        Frame frame = frame(ECHO_REQUEST);

        assertThat(responder.answer(frame)).isTrue();

        assertThat(hex(frame)).isEqualTo(ECHO_REPLY);
    }

    @ParameterizedTest(name = "{2}")
    @CsvSource({
        "0, 525400000009, for another station",
        "12, 86dd, another protocol over Ethernet",
        "14, 65, another version of IP",
        "14, 44, a header shorter than a header can be",
        "14, 4f, a header with a checksum that is wrong for its length",
        "16, 0200, longer than the frame",
        "16, 0017, too short for a message",
        "20, 2000, a fragment",
        "23, 11, UDP",
        "24, 0000, a wrong header checksum",
        "33, 03, for another address",
        "34, 00, a reply",
        "36, 0000, a wrong message checksum",
        "48, ff, damaged data"
    })
    void leavesAloneWhatIsNoEchoRequestToIt(int at, String bytes, String why) {
        String damaged = replaced(ECHO_REQUEST, at, bytes);
        Frame frame = frame(damaged);

        assertThat(responder.answer(frame)).as(why).isFalse();

        assertThat(hex(frame)).isEqualTo(damaged);
    }

    @ParameterizedTest(name = "{2}")
    @CsvSource({
        "14, 0002, not Ethernet",
        "20, 0002, a reply",
        "41, 09, for another address",
    })
    void leavesAloneWhatIsNoArpRequestForIt(int at, String bytes, String why) {
        String other = replaced(ARP_REQUEST, at, bytes);
        Frame frame = frame(other);

        assertThat(responder.answer(frame)).as(why).isFalse();

        assertThat(hex(frame)).isEqualTo(other);
    }

    @Test
    void leavesAloneFramesThatAreCutShort() {
        for (String whole : new String[] {ARP_REQUEST.substring(0, 84), ECHO_REQUEST.substring(0, 98)}) {
            for (int length = 0; length < whole.length() / 2; length++) {
                assertThat(responder.answer(frame(whole.substring(0, 2 * length))))
                        .as("%d bytes", length)
                        .isFalse();
                batch.release();
            }
        }
    }

    private static String replaced(String hex, int at, String bytes) {
        return hex.substring(0, 2 * at) + bytes + hex.substring(2 * at + bytes.length());
    }

    private Frame frame(String hex) {
        pool.allocate(batch, 1);
        Frame frame = batch.frame(0);
        frame.copyFrom(HexFormat.of().parseHex(hex));
        return frame;
    }

    private static String hex(Frame frame) {
        return HexFormat.of().formatHex(frame.toByteArray());
    }
}
