package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Rss;
import io.doorbell.frame.RssHash;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.ability.RssControl;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.qemu.qtest.QtestPciFunction;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several queues of QEMU's igb, and which of them a frame arrives in. */
@Tag("qtest")
class IgbQueuesTest {

    private static final MacAddress OWN = MacAddress.parse("52:54:00:12:34:56");
    private static final MacAddress PEER = MacAddress.parse("52:54:00:65:43:21");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int TCP = 6;
    private static final int UDP = 17;

    private final FrameBatch batch = new FrameBatch(64);
    private QtestMachine machine;
    private FramePeer peer;
    private IgbNic nic;

    @BeforeEach
    void startMachine() {
        machine = QtestMachine.builder().nic("igb", "mac=" + OWN).virtualTime().start();
        peer = machine.peer(0);
    }

    @AfterEach
    void stopMachine() {
        if (nic != null) {
            nic.close();
        }
        machine.close();
    }

    private void open(NicConfig config) {
        QtestPciFunction function = machine.open(0);
        nic = IgbNic.open("0000:00:04.0", function, IgbModel.of(function.id()).orElseThrow(), config);
        nic.awaitLink(PATIENCE);
    }

    private static ByteBuffer ethernet(MacAddress to, int etherType, int length) {
        ByteBuffer frame = ByteBuffer.allocate(length);
        frame.putShort((short) (to.value() >>> 32)).putInt((int) to.value());
        frame.putShort((short) (PEER.value() >>> 32)).putInt((int) PEER.value());
        return frame.putShort((short) etherType);
    }

    /** A datagram or a segment without payload; addresses in hexadecimal. */
    private static byte[] packet(int protocol, String source, int sourcePort, String destination, int destinationPort) {
        boolean four = source.length() == 8;
        ByteBuffer frame = ethernet(OWN, four ? 0x0800 : 0x86dd, four ? 60 : 74);
        if (four) {
            frame.putInt(0x4500_0028)
                    .putInt(0)
                    .putShort((short) (64 << 8 | protocol))
                    .putShort((short) 0);
        } else {
            frame.putInt(0x6000_0000).putShort((short) 20).putShort((short) (protocol << 8 | 64));
        }
        frame.put(HexFormat.of().parseHex(source)).put(HexFormat.of().parseHex(destination));
        frame.putShort((short) sourcePort).putShort((short) destinationPort);
        if (protocol == TCP) {
            frame.putLong(0).putInt(0x5000_0000);
        } else {
            frame.putShort((short) 20);
        }
        return frame.array();
    }

    /** The queue that the one frame on its way arrives in, which stays in the batch. */
    private int arrivesIn() {
        int[] queue = {-1};
        assertThat(BoundedWait.until(
                        () -> {
                            for (int i = 0; i < nic.queues() && batch.isEmpty(); i++) {
                                nic.rxQueue(i).receive(batch);
                                queue[0] = i;
                            }
                            return !batch.isEmpty();
                        },
                        PATIENCE))
                .isTrue();
        return queue[0];
    }

    /** With one pool for all, since the machine has little memory. */
    private NicConfig sixteenQueues() {
        int buffers = 16 * 128 + 64;
        int size = FramePool.HEADROOM + 2048;
        FramePool pool = FramePool.in(machine.allocate(FramePool.bytesFor(buffers, size)), buffers, size);
        return NicConfig.defaults().withQueues(16).withRingSizes(64, 64).withPool(pool);
    }

    @Test
    void hasAsManyQueuesAsTheModel() {
        open(sixteenQueues());
        assertThat(nic.queues()).isEqualTo(16);
        assertThatThrownBy(() -> nic.rxQueue(16))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("16 receive queues");
        nic.close();
        assertThatThrownBy(() -> open(NicConfig.defaults().withQueues(17)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("Intel 82576 has 16 queues")
                .hasMessageContaining("asks for 17");
    }

    /** The verification suite of RSS: key, addresses and hashes as Microsoft has published them. */
    @ParameterizedTest
    @CsvSource({
        "6, 420995bb, 2794, a18e6450, 1766, 51ccc178",
        "17, 420995bb, 2794, a18e6450, 1766, 51ccc178",
        "1, 420995bb, 0, a18e6450, 0, 323e8fc2",
        "6, c75c6f02, 14230, 41458c53, 4739, c626b0ea",
        "6, 3ffe250102001fff0000000000000007, 2794, 3ffe2501020000030000000000000001, 1766, 40207d3d"
    })
    void hashesAsItIsPublished(int protocol, String source, int from, String destination, int to, String hash) {
        // QEMU hashes the ports of IPv6 by TCP6_EX alone, and takes TCP6 for nothing.
        open(NicConfig.defaults().withQueues(4).withRss(Rss.over(4).withHashes(EnumSet.allOf(RssHash.class))));
        peer.send(packet(protocol, source, from, destination, to));
        int queue = arrivesIn();
        int expected = Integer.parseUnsignedInt(hash, 16);
        assertThat(batch.frame(0).offloads() & Offloads.HASH).isNotZero();
        assertThat(batch.frame(0).hash()).isEqualTo(expected);
        assertThat(queue).isEqualTo(Rss.over(4).queue(expected));
        batch.release();
    }

    @Test
    void putsWhatHasNoFlowIntoTheFirstQueue() {
        open(NicConfig.defaults().withQueues(4));
        peer.send(ethernet(OWN, 0x88b5, 60).array());
        assertThat(arrivesIn()).isZero();
        assertThat(batch.frame(0).offloads()).isZero();
        batch.release();
    }

    @Test
    void usesAllOfItsQueues() {
        open(sixteenQueues());
        Set<Integer> used = new HashSet<>();
        for (int port = 0; port < 200; port++) {
            peer.send(packet(UDP, "0a000001", port, "0a000002", 7));
            used.add(arrivesIn());
            batch.release();
        }
        assertThat(used).hasSize(16);
    }

    @Test
    void spreadsAnewWhileItRuns() {
        open(NicConfig.defaults().withQueues(3));
        RssControl control = nic.ability(RssControl.class);
        byte[] packet = packet(UDP, "0a000001", 7, "0a000002", 7);
        control.rss(Rss.over(3).withTable(2));
        peer.send(packet);
        assertThat(arrivesIn()).isEqualTo(2);
        batch.release();
        control.rss(Rss.over(3).withTable(1).withHashes(Set.of(RssHash.TCP4)));
        peer.send(packet);
        arrivesIn();
        assertThat(batch.frame(0).offloads()).isZero();
        batch.release();
        control.rss(Rss.over(3).withTable(1));
        nic.reset();
        nic.awaitLink(PATIENCE);
        peer.send(packet);
        assertThat(arrivesIn()).isEqualTo(1);
        assertThat(control.rss()).isEqualTo(Rss.over(3).withTable(1));
        batch.release();
    }

    @Test
    void sendsByEachQueue() {
        open(NicConfig.defaults().withQueues(4));
        for (int round = 0; round < 3; round++) {
            for (int queue = 0; queue < 4; queue++) {
                byte[] bytes = ethernet(PEER, 0x88b5, 60 + 4 * round + queue).array();
                nic.rxQueue(queue).pool().allocate(batch).copyFrom(bytes);
                assertThat(nic.txQueue(queue).send(batch)).isOne();
                assertThat(peer.receive(PATIENCE)).isEqualTo(bytes);
            }
        }
        assertThat(nic.statistics().txFrames()).isEqualTo(12);
    }

    @Test
    void setsOneQueueUpAnewWhileTheOthersGoOn() {
        open(NicConfig.defaults().withQueues(2));
        QueueReset reset = nic.ability(QueueReset.class);
        RssControl control = nic.ability(RssControl.class);
        int[] free = IntStream.range(0, 2)
                .map(queue -> nic.rxQueue(queue).pool().available())
                .toArray();
        byte[] packet = packet(UDP, "0a000001", 7, "0a000002", 7);
        for (int round = 0; round < 5; round++) {
            for (int queue = 0; queue < 2; queue++) {
                reset.resetRxQueue(queue);
                reset.resetTxQueue(1 - queue);
                for (int target = 0; target < 2; target++) {
                    control.rss(Rss.over(2).withTable(target));
                    peer.send(packet);
                    assertThat(arrivesIn()).isEqualTo(target);
                    TxQueue sending = nic.txQueue(target);
                    sending.send(batch);
                    assertThat(peer.receive(PATIENCE)).isEqualTo(packet);
                    assertThat(BoundedWait.until(() -> sending.reclaim() == 0, PATIENCE))
                            .isTrue();
                }
            }
        }
        for (int queue = 0; queue < 2; queue++) {
            reset.resetRxQueue(queue);
            assertThat(nic.rxQueue(queue).pool().available()).isEqualTo(free[queue]);
        }
        assertThat(nic.statistics().txErrors()).isZero();
    }
}
