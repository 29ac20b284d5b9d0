package io.doorbell.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.spi.BoundedWait;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The switch between three processes' NICs, which are all in this one: two connect to it, and it connects to the third. */
class LearningSwitchTest {

    private static final MacAddress ANNE = MacAddress.parse("52:54:00:00:00:01");
    private static final MacAddress BOB = MacAddress.parse("52:54:00:00:00:02");
    private static final MacAddress CARL = MacAddress.parse("52:54:00:00:00:03");

    private static final int NUMBER = 14;

    @TempDir
    private Path dir;

    private final FrameBatch batch = new FrameBatch(64);
    private RunningExample running;
    private Nic anne;
    private Nic bob;
    private Nic carl;

    @BeforeEach
    void connect() throws Exception {
        Path forAnne = dir.resolve("anne.sock");
        Path forBob = dir.resolve("bob.sock");
        carl = Nic.open("vhost-user-backend:" + dir.resolve("carl.sock"));
        running = new RunningExample(() -> LearningSwitch.main(
                "vhost-user-backend:" + forAnne,
                "vhost-user-backend:" + forBob,
                "vhost-user:" + dir.resolve("carl.sock")));
        running.awaitSocket(forAnne);
        running.awaitSocket(forBob);
        carl.awaitLink(RunningExample.SOON);
        anne = Nic.open("vhost-user:" + forAnne);
        bob = Nic.open("vhost-user:" + forBob);
    }

    @AfterEach
    void disconnect() {
        try {
            running.close();
        } finally {
            List.of(anne, bob, carl).forEach(Nic::close);
        }
    }

    private void send(Nic from, MacAddress source, MacAddress destination, int... numbers) {
        for (int number : numbers) {
            assertThat(from.pool().allocate(batch, 1)).isOne();
            var frame = batch.frame(batch.size() - 1);
            frame.length(60);
            frame.setMac(0, destination);
            frame.setMac(6, source);
            frame.setInt(NUMBER, number);
        }
        assertThat(BoundedWait.until(
                        () -> {
                            from.txQueue(0).send(batch);
                            return batch.isEmpty();
                        },
                        RunningExample.SOON))
                .isTrue();
    }

    /** The next frames to arrive have these numbers. */
    private void receives(Nic to, int... numbers) {
        assertThat(BoundedWait.until(
                        () -> {
                            to.rxQueue(0).receive(batch);
                            return batch.size() >= numbers.length;
                        },
                        RunningExample.SOON))
                .as("%d of %d frames have come", batch.size(), numbers.length)
                .isTrue();
        List<Integer> received = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            received.add(batch.frame(i).getInt(NUMBER));
        }
        batch.release();
        assertThat(received.stream().mapToInt(Integer::intValue).toArray()).containsExactly(numbers);
    }

    @Test
    void floodsWhatItDoesNotKnowAndSendsTheRestWhereItBelongs() {
        send(anne, ANNE, BOB, 1);
        receives(bob, 1);
        receives(carl, 1);
        send(bob, BOB, ANNE, 2);
        receives(anne, 2);
        send(anne, ANNE, BOB, 3);
        receives(bob, 3);
        send(carl, CARL, MacAddress.BROADCAST, 4);
        receives(anne, 4);
        receives(bob, 4);
        // Had the two frames in between been flooded, they would come first.
        send(bob, BOB, CARL, 5);
        receives(carl, 5);
    }

    @Test
    void followsAStationThatMoves() {
        send(anne, ANNE, MacAddress.BROADCAST, 1);
        receives(bob, 1);
        receives(carl, 1);
        send(bob, BOB, ANNE, 2);
        receives(anne, 2);
        send(carl, ANNE, MacAddress.BROADCAST, 3);
        receives(anne, 3);
        receives(bob, 3);
        send(bob, BOB, ANNE, 4);
        receives(carl, 4);
        send(anne, BOB, MacAddress.BROADCAST, 5);
        receives(bob, 5);
        receives(carl, 5);
        send(anne, CARL, BOB, 6); // who is behind the same port
        send(anne, CARL, MacAddress.BROADCAST, 7);
        receives(bob, 7);
        receives(carl, 7);
    }

    @Test
    void keepsManyFramesInOrder() {
        send(bob, BOB, MacAddress.BROADCAST, -1);
        receives(anne, -1);
        receives(carl, -1);
        for (int round = 0; round < 1000; round++) {
            int first = 8 * round;
            int[] numbers = {first, first + 1, first + 2, first + 3, first + 4, first + 5, first + 6, first + 7};
            send(anne, ANNE, BOB, numbers);
            receives(bob, numbers);
        }
        send(anne, ANNE, MacAddress.BROADCAST, -2);
        receives(carl, -2);
    }

    @Test
    void servesAPortAgainThatWasAway() {
        send(bob, BOB, MacAddress.BROADCAST, 1);
        receives(anne, 1);
        receives(carl, 1);
        bob.close();
        bob = Nic.open("vhost-user:" + dir.resolve("bob.sock"));
        send(anne, ANNE, BOB, 2);
        receives(bob, 2);
        send(bob, BOB, ANNE, 3);
        receives(anne, 3);
    }

    /** TCP over IPv4, with nothing but what a switch looks at. */
    private static byte[] segmentsOf(int payload) {
        ByteBuffer bytes = ByteBuffer.allocate(54 + payload);
        bytes.putShort((short) 0x5254)
                .putInt(2)
                .putShort((short) 0x5254)
                .putInt(1)
                .putShort((short) 0x0800);
        bytes.put((byte) 0x45).put((byte) 0).putShort((short) (40 + payload)).putInt(0);
        bytes.put((byte) 64)
                .put((byte) 6)
                .putShort((short) 0)
                .putInt(0x0a000001)
                .putInt(0x0a000002);
        bytes.putShort((short) 1).putShort((short) 2).putInt(1000).putInt(0).put((byte) 0x50);
        for (int i = 54; i < bytes.capacity(); i++) {
            bytes.put(i, (byte) i);
        }
        return bytes.array();
    }

    @Test
    void makesFramesForTheWireWhereAPortTakesNoLargeOnes() {
        byte[] bytes = segmentsOf(4000);
        for (int from = 0; from < bytes.length; from += 1500) {
            assertThat(anne.pool().allocate(batch, 1)).isOne();
            batch.frame(batch.size() - 1)
                    .copyFrom(Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + 1500)));
        }
        batch.join(0, batch.size());
        batch.frame(0).needsChecksum(34, 16);
        batch.frame(0).segment(Segmentation.TCP4, 54, 1460);
        assertThat(anne.txQueue(0).limits().allow(batch, 0)).isTrue();
        assertThat(anne.txQueue(0).send(batch)).isEqualTo(3);

        assertThat(BoundedWait.until(
                        () -> {
                            bob.rxQueue(0).receive(batch);
                            return batch.size() >= 3;
                        },
                        RunningExample.SOON))
                .isTrue();
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        for (int i = 0; i < batch.size(); i++) {
            assertThat(batch.frame(i).getInt(38)).as("sequence number").isEqualTo(1000 + payload.size());
            payload.writeBytes(Arrays.copyOfRange(
                    batch.frame(i).toByteArray(), 54, batch.frame(i).length()));
        }
        batch.release();
        assertThat(payload.toByteArray()).isEqualTo(Arrays.copyOfRange(bytes, 54, bytes.length));
    }
}
