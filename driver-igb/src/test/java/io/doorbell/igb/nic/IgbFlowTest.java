package io.doorbell.igb.nic;

import static io.doorbell.igb.spec.IgbRegisters.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Rss;
import io.doorbell.frame.ability.FlowRules;
import io.doorbell.frame.ability.RssControl;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.qemu.qtest.QtestPciFunction;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Rules in QEMU's igb, which has the filters by EtherType: it says in the descriptor which of them a frame has matched, and
 * leaves the queue to RSS. It keeps what it is told of the other filters to itself, if at all.
 */
@Tag("qtest")
class IgbFlowTest {

    private static final MacAddress OWN = MacAddress.parse("52:54:00:12:34:56");
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** No filter by EtherType has matched. */
    private static final int NONE = -1;

    private final FrameBatch batch = new FrameBatch(8);
    private QtestMachine machine;
    private FramePeer peer;
    private IgbNic nic;
    private FlowRules rules;

    @BeforeEach
    void startMachine() {
        machine = QtestMachine.builder().nic("igb", "mac=" + OWN).virtualTime().start();
        peer = machine.peer(0);
    }

    @AfterEach
    void stopMachine() {
        nic.close();
        machine.close();
    }

    private void open(int queues) {
        QtestPciFunction function = machine.open(0);
        nic = IgbNic.open(
                "0000:00:04.0",
                function,
                IgbModel.of(function.id()).orElseThrow(),
                NicConfig.defaults().withQueues(queues));
        nic.awaitLink(PATIENCE);
        rules = nic.ability(FlowRules.class);
    }

    private int add(String rule) {
        return rules.add(FlowRule.parse(rule));
    }

    private static byte[] frame(int etherType) {
        ByteBuffer frame = ByteBuffer.allocate(60);
        frame.putShort((short) (OWN.value() >>> 32)).putInt((int) OWN.value());
        frame.put(new byte[] {0x52, 0x54, 0, 0, 0, 1});
        return frame.putShort((short) etherType).array();
    }

    /** Which filter a frame of this type has matched, by the descriptor that it arrives with (82576 data sheet, 7.1.5). */
    private int matched(int etherType) {
        nic.reset(); // so that the descriptor is the first one
        nic.awaitLink(PATIENCE);
        long ring = Integer.toUnsignedLong(nic.registerFile().read(RDBAL, 0))
                | (long) nic.registerFile().read(RDBAH, 0) << 32;
        peer.send(frame(etherType));
        assertThat(BoundedWait.until(() -> (machine.ram().get(WORD, ring + 8) & 1) != 0, PATIENCE))
                .as("the frame arrives")
                .isTrue();
        int types = (int) machine.ram().get(WORD, ring) & 0xffff;
        receives(etherType);
        return (types & 0x8000) != 0 ? types >>> 4 & 7 : NONE;
    }

    private void receives(int etherType) {
        assertThat(BoundedWait.until(
                        () -> {
                            for (int queue = 0; queue < nic.queues(); queue++) {
                                nic.rxQueue(queue).receive(batch);
                            }
                            return !batch.isEmpty();
                        },
                        PATIENCE))
                .isTrue();
        assertThat(batch.frame(0).toByteArray()).isEqualTo(frame(etherType));
        batch.release();
    }

    private List<Integer> etherTypeFilters() {
        return IntStream.range(0, ETQF.count())
                .mapToObj(filter -> nic.registerFile().read(ETQF, filter))
                .toList();
    }

    @Test
    void matchesByEtherType() {
        open(2);
        add("ethertype 0x88f7 to queue 1");
        int second = add("ethertype 0x88b5 to queue 1");
        add("ethertype 0x0600 to queue 0");
        assertThat(matched(0x88f7)).isZero();
        assertThat(matched(0x88b5)).isEqualTo(1);
        assertThat(matched(0x0600)).isEqualTo(2);
        assertThat(matched(0xb588)).isEqualTo(NONE);
        assertThat(matched(0x88b6)).isEqualTo(NONE);
        rules.remove(second);
        assertThat(matched(0x88b5)).isEqualTo(NONE);
        assertThat(matched(0x0600)).isEqualTo(1);
        rules.clear();
        assertThat(matched(0x88f7)).isEqualTo(NONE);
    }

    @Test
    void tellsTheDeviceAtOnce() {
        open(2);
        int first = add("ethertype 0x88f7 to queue 1");
        add("ethertype 0x88b5 to queue 0");
        assertThat(etherTypeFilters()).containsExactly(0xc401_88f7, 0x8400_88b5, 0, 0, 0, 0, 0, 0);
        rules.remove(first);
        assertThat(etherTypeFilters()).containsExactly(0x8400_88b5, 0, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void keepsItsRulesAcrossStopsAndResets() {
        open(2);
        int first = add("ethertype 0x88f7 to queue 1");
        int second = add("syn to queue 1, priority 1");
        Map<Integer, FlowRule> before = rules.rules();
        List<Integer> filters = etherTypeFilters();
        nic.stop();
        assertThat(etherTypeFilters()).as("of a device that was reset").containsOnly(0);
        assertThat(rules.rules()).isEqualTo(before);
        nic.start();
        assertThat(etherTypeFilters()).isEqualTo(filters);
        nic.reset();
        assertThat(etherTypeFilters()).isEqualTo(filters);
        assertThat(rules.rules()).isEqualTo(before).containsOnlyKeys(first, second);
    }

    @Test
    void takesRulesThatAreToGoOnceItRuns() {
        open(2);
        int first = add("ethertype 0x88f7 to queue 1");
        nic.stop();
        rules.remove(first);
        add("ethertype 0x88b5 to queue 1");
        assertThat(etherTypeFilters()).containsOnly(0);
        nic.start();
        assertThat(etherTypeFilters()).containsExactly(0x8401_88b5, 0, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void forgetsItsRulesWhenItIsClosed() {
        open(2);
        add("ethertype 0x88f7 to queue 1");
        nic.close();
        assertThatThrownBy(() -> add("syn to queue 0")).isInstanceOf(NicClosedException.class);
        assertThatThrownBy(rules::rules).isInstanceOf(NicClosedException.class);
        open(2);
        assertThat(rules.rules()).isEmpty();
        assertThat(etherTypeFilters()).containsOnly(0);
    }

    @Test
    void takesRulesWithOneQueueToo() {
        open(1);
        add("ethertype 0x88f7 to queue 0");
        assertThatThrownBy(() -> add("ethertype 0x88b5 to queue 1"))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("there is no queue 1, only 0");
        assertThat(matched(0x88f7)).isZero();
        assertThat(rules.rules()).hasSize(1);
    }

    /** Neither turns the other off: which goes first is the device's business. */
    @Test
    void leavesRssAsItIs() {
        open(2);
        RssControl rss = nic.ability(RssControl.class);
        int mrqc = nic.registerFile().read(MRQC);
        add("tcp any > any:80 to queue 1");
        assertThat(nic.registerFile().read(MRQC)).isEqualTo(mrqc);
        rss.rss(Rss.over(2).withTable(1));
        assertThat(rules.rules()).hasSize(1);
        assertThat(rss.rss()).isEqualTo(Rss.over(2).withTable(1));
    }

    @Test
    void givesCopiesOfItsRules() {
        open(2);
        Map<Integer, FlowRule> none = rules.rules();
        int id = add("syn to queue 1");
        assertThat(none).isEmpty();
        assertThat(rules.rules()).containsExactly(Map.entry(id, FlowRule.parse("syn to queue 1")));
        assertThatThrownBy(() -> rules.rules().clear()).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void changesItsRulesWhileFramesArrive() throws Exception {
        open(2);
        FutureTask<Integer> changes = new FutureTask<>(() -> {
            for (int i = 0; i < 50; i++) {
                int first = add("ethertype 0x88b5 to queue 1");
                int second = add("tcp 10.0.0.1:80 > any to queue 1, priority 3");
                rules.remove(first);
                rules.remove(second);
            }
            return rules.rules().size();
        });
        Thread.ofPlatform().daemon().start(changes);
        int rounds = 0;
        while (!changes.isDone() || rounds < 20) {
            peer.send(frame(0x88b5));
            receives(0x88b5);
            rounds++;
        }
        assertThat(changes.get(PATIENCE.toNanos(), TimeUnit.NANOSECONDS)).isZero();
        assertThat(etherTypeFilters()).containsOnly(0);
    }
}
