package io.doorbell.igb.nic;

import static io.doorbell.igb.spec.IgbRegisters.RDH;
import static io.doorbell.igb.spec.IgbRegisters.RDT;
import static io.doorbell.igb.spec.IgbRegisters.TDH;
import static io.doorbell.igb.spec.IgbRegisters.TDT;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.ring.IgbRxRing;
import io.doorbell.igb.ring.IgbTxRing;
import io.doorbell.igb.selftest.DefectException;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import java.util.Arrays;

/** Whether frames of several lengths come back through a loopback, unchanged: the way that all frames take. */
final class FrameTest {

    private static final Duration LIMIT = Duration.ofSeconds(1);
    private static final int[] LENGTHS = {60, 61, 64, 128, 256, 777, 1514};
    /** For experiments on one's own network (IEEE 802). */
    private static final int ETHER_TYPE = 0x88B5;

    private final RegisterFile registers;
    private final IgbRxRing rx;
    private final IgbTxRing tx;
    private final MacAddress own;
    private final FrameBatch batch = new FrameBatch(1);

    FrameTest(RegisterFile registers, IgbRxRing rx, IgbTxRing tx, MacAddress own) {
        this.registers = registers;
        this.rx = rx;
        this.tx = tx;
        this.own = own;
    }

    /**
     * Sends them one by one.
     *
     * @return how many there were, in words
     * @throws DefectException when one does not come back, or is another
     */
    String run() {
        for (int length : LENGTHS) {
            byte[] frame = frame(length);
            try {
                send(frame);
                receive(frame);
            } finally {
                batch.release();
            }
        }
        return LENGTHS.length + " frames of " + LENGTHS[0] + " to " + LENGTHS[LENGTHS.length - 1]
                + " bytes came back from the PHY as they were";
    }

    private byte[] frame(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + length);
        }
        for (int i = 0; i < 6; i++) {
            bytes[i] = (byte) own.octet(i);
            bytes[6 + i] = (byte) own.octet(i);
        }
        bytes[12] = (byte) (ETHER_TYPE >>> 8);
        bytes[13] = (byte) ETHER_TYPE;
        return bytes;
    }

    private void send(byte[] frame) {
        rx.pool().allocate(batch, 1);
        batch.frame(0).copyFrom(frame);
        if (!BoundedWait.until(() -> tx.send(batch) == 1, LIMIT)) {
            throw new DefectException("a frame of " + frame.length + " bytes was not taken to be sent within "
                    + LIMIT.toMillis() + " ms: " + rings());
        }
    }

    private void receive(byte[] frame) {
        if (!BoundedWait.until(() -> rx.receive(batch) == 1, LIMIT)) {
            throw new DefectException("a frame of " + frame.length + " bytes did not come back within "
                    + LIMIT.toMillis() + " ms: " + rings());
        }
        byte[] back = batch.frame(0).toByteArray();
        if (back.length != frame.length) {
            throw new DefectException("a frame of " + frame.length + " bytes came back with " + back.length);
        }
        int at = Arrays.mismatch(frame, back);
        if (at >= 0) {
            throw new DefectException(String.format(
                    "a frame of %d bytes came back changed: byte %d is 0x%02x, and was 0x%02x",
                    frame.length, at, back[at], frame[at]));
        }
    }

    private String rings() {
        return "TDH=" + registers.read(TDH) + ", TDT=" + registers.read(TDT) + ", RDH=" + registers.read(RDH) + ", RDT="
                + registers.read(RDT);
    }
}
