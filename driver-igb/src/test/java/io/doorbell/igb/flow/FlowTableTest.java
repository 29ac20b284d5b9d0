package io.doorbell.igb.flow;

import static io.doorbell.igb.spec.IgbRegisters.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.EnumSource.Mode.EXCLUDE;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowField;
import io.doorbell.frame.flow.FlowKind;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written where, for each model; of a filter that QEMU's device has, {@code IgbFlowTest} shows what it does. */
class FlowTableTest {

    /** FTQF and TTQF without QUEUE_ENABLE, and with nothing to be compared. */
    private static final int OFF = 0xf000_8000;

    private final RecordingBar bar = new RecordingBar();

    private FlowTable table(IgbModel model) {
        FlowTable table = new FlowTable(new RegisterFile("test", bar), model, model.queues());
        table.apply();
        bar.writes.clear();
        return table;
    }

    private int add(FlowTable table, String rule) {
        int id = table.add(FlowRule.parse(rule));
        table.update();
        return id;
    }

    private List<String> written() {
        List<String> names = new ArrayList<>();
        bar.writes.forEach(write -> names.add(write.register()));
        bar.writes.clear();
        return names;
    }

    private void refuses(FlowTable table, String rule, String... reasons) {
        Map<Integer, FlowRule> before = table.rules();
        assertThatThrownBy(() -> table.add(FlowRule.parse(rule)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageStartingWith("test: cannot add '" + rule + "': ")
                .hasMessageContainingAll(reasons);
        assertThat(table.rules()).isEqualTo(before);
        bar.writes.clear();
        table.update();
        assertThat(bar.writes).isEmpty();
    }

    // ---- Encodings

    @ParameterizedTest
    @EnumSource
    void writesAnEtherTypeAsANumber(IgbModel model) {
        FlowTable table = table(model);
        add(table, "ethertype 0x88f7 to queue 1");
        assertThat(bar.read32(ETQF.at(0))).isEqualTo(0xc401_88f7);
        assertThat(written()).containsExactly("ETQF[0]");
    }

    @ParameterizedTest
    @EnumSource
    void hasMessagesOfPtpStampedThatItPutsIntoAQueue(IgbModel model) {
        FlowTable table = table(model);
        add(table, "udp any > any:319 to queue 0");
        add(table, "udp any > any:320 to queue 0");
        add(table, "tcp any > any:319 to queue 0");
        for (int slot = 0; slot < 3; slot++) {
            assertThat(FTQF_1588_TIME_STAMP.isSetIn(bar.read32(FTQF.at(slot)))).isEqualTo(slot == 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void keepsTheLastFilterForTimeStamps(IgbModel model) {
        FlowTable table = table(model);
        table.keepLastOf(EnumSet.of(FlowKind.ETHER_TYPE));
        int all = model.etherTypeFilters();
        for (int i = 1; i < all; i++) {
            add(table, "ethertype 0x90%02x to queue 0".formatted(i));
        }
        assertThat(written()).doesNotContain("ETQF[" + (all - 1) + "]");
        refuses(
                table,
                "ethertype 0x9100 to queue 0",
                "all " + all + " filters of its kind are taken, one by time stamps");
        add(table, "tcp any > any:7 to queue 0");

        table.keepLastOf(Set.of());
        add(table, "ethertype 0x9100 to queue 0");
        assertThatThrownBy(() -> table.keepLastOf(EnumSet.of(FlowKind.ETHER_TYPE)))
                .isInstanceOf(DoorbellException.class)
                .hasMessage("test: time stamps take a filter by " + FlowKind.ETHER_TYPE + ", and all " + all
                        + " are taken by rules: remove one (FlowRules.remove)");
    }

    @Test
    void putsFramesIntoTheLastOfSixteenQueues() {
        FlowTable table = table(IgbModel.I82576);
        add(table, "ethertype 0x88cc to queue 15");
        add(table, "tcp any > any to queue 15");
        assertThat(bar.read32(ETQF.at(0))).isEqualTo(0x840f_88cc);
        assertThat(bar.read32(FTQF.at(0))).isEqualTo(0xe00f_8106);
    }

    /** Addresses and ports as on the wire, the first byte lowest; what is set in the upper four bits is not compared. */
    @ParameterizedTest
    @CsvSource({
        "tcp 10.0.0.1:80 > 192.168.1.254:8080, 00008106, 0100000a, fe01a8c0, 5000, 0000901f",
        "udp any > any:53,                     a0008111|40000000, 0, 0, 0, 00003500",
        "udp any:1234 > any,                   60008111, 0, 0, d204, 00020000",
        "ip 10.1.2.3 > any,                    d0008100, 0302010a, 0, 0, 00020000",
        "ip any > 255.0.0.128,                 b0008100, 0, 800000ff, 0, 00020000",
        "sctp any > any,                       e0008184, 0, 0, 0, 00020000",
        "ip/47 0.0.0.0 > any,                  c000812f, 0, 0, 0, 00020000",
        "tcp any:0 > any:65535,                60008106, 0, 0, 0, 0000ffff"
    })
    void writesFiveTuples(String match, String ftqf, String source, String destination, String port, String imir) {
        FlowTable table = table(IgbModel.I82576);
        add(table, match + " to queue 0");
        int expected = 0;
        for (String part : ftqf.split("\\|")) {
            expected |= Integer.parseUnsignedInt(part, 16);
        }
        assertThat(bar.read32(FTQF.at(0))).as("FTQF").isEqualTo(expected);
        assertThat(bar.read32(SAQF.at(0))).as("SAQF").isEqualTo(Integer.parseUnsignedInt(source, 16));
        assertThat(bar.read32(DAQF.at(0))).as("DAQF").isEqualTo(Integer.parseUnsignedInt(destination, 16));
        assertThat(bar.read32(SPQF.at(0))).as("SPQF").isEqualTo(Integer.parseUnsignedInt(port, 16));
        assertThat(bar.read32(IMIR.at(0))).as("IMIR").isEqualTo(Integer.parseUnsignedInt(imir, 16));
        assertThat(bar.read32(IMIREXT.at(0))).as("IMIREXT").isEqualTo(0x0008_1000);
    }

    @ParameterizedTest
    @EnumSource(mode = EXCLUDE, names = "I82576")
    void writesTwoTuples(IgbModel model) {
        FlowTable table = table(model);
        add(table, "tcp any > any:80 to queue 1, priority 7");
        add(table, "udp any > any to queue 0");
        assertThat(bar.read32(TTQF.at(0))).isEqualTo(0xe001_8106);
        assertThat(bar.read32(IMIR.at(0))).isEqualTo(0xe000_5000);
        assertThat(bar.read32(IMIREXT.at(0))).isEqualTo(0x0008_1000);
        assertThat(bar.read32(TTQF.at(1))).isEqualTo(0xe000_8111);
        assertThat(bar.read32(IMIR.at(1))).isEqualTo(0x0002_0000);
        assertThat(bar.read32(SAQF.at(0))).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void writesTheFilterForSyn(IgbModel model) {
        FlowTable table = table(model);
        bar.put(RFCTL, 0x8000);
        int id = add(table, "syn to queue 1, priority 1");
        assertThat(bar.peek(SYNQF)).isEqualTo(3);
        assertThat(bar.peek(RFCTL)).isEqualTo(0x0008_8000);
        table.remove(id);
        table.update();
        assertThat(bar.peek(SYNQF)).isZero();
        add(table, "syn to queue 0");
        assertThat(bar.peek(SYNQF)).isEqualTo(1);
        assertThat(bar.peek(RFCTL)).isEqualTo(0x8000);
    }

    @ParameterizedTest
    @EnumSource(mode = EXCLUDE, names = "I82576")
    void writesBytesWithAMask(IgbModel model) {
        FlowTable table = table(model);
        bar.put(WUFC, 0x2);
        add(table, "bytes 0=0180c2 12=88cc 127=ff to queue 1, priority 5");
        int[] expected = new int[FHFT_WORDS];
        expected[0] = 0x00c2_8001; // bytes 0 to 3
        expected[2] = 0b0000_0111;
        expected[5] = 0x0000_cc88; // bytes 12 to 15
        expected[6] = 0b0011_0000;
        expected[61] = 0xff00_0000; // bytes 124 to 127
        expected[62] = 0b1000_0000;
        expected[63] = 128 | 1 << 8 | 5 << 16;
        for (int word = 0; word < FHFT_WORDS; word++) {
            assertThat(bar.read32(0x9000 + 4 * word)).as("word %d", word).isEqualTo(expected[word]);
        }
        assertThat(bar.peek(WUFC)).isEqualTo(0x0001_4002);
    }

    @ParameterizedTest
    @CsvSource({"0, 8", "7, 8", "8, 16", "15, 16", "16, 24", "126, 128"})
    void comparesWholeRowsOfBytes(int offset, int length) {
        FlowTable table = table(IgbModel.I82580);
        add(table, "bytes " + offset + "=01 to queue 7");
        assertThat(bar.read32(0x90fc)).isEqualTo(length | 7 << 8);
    }

    @Test
    void placesEightTablesOfBytes() {
        FlowTable table = table(IgbModel.I82580);
        for (int i = 0; i < 8; i++) {
            add(table, "bytes 0=0" + i + " to queue " + i);
        }
        for (int i = 0; i < 8; i++) {
            int at = i < 4 ? 0x9000 + 0x100 * i : 0x9a00 + 0x100 * (i - 4);
            assertThat(bar.read32(at)).isEqualTo(i);
            assertThat(bar.read32(at + 0xfc)).isEqualTo(8 | i << 8);
        }
        assertThat(bar.peek(WUFC)).isEqualTo(0x00ff_4000);
    }

    // ---- Orders of writes

    @ParameterizedTest
    @EnumSource
    void matchesNothingWhileATupleIsHalfWritten(IgbModel model) {
        FlowTable table = table(model);
        add(table, "udp any > any:53 to queue 1");
        int filter = model == IgbModel.I82576 ? FTQF.at(0) : TTQF.at(0);
        List<Integer> values = bar.writes.stream()
                .filter(write -> write.register().endsWith("TQF[0]"))
                .map(RecordingBar.Write::value)
                .toList();
        assertThat(values).hasSize(2);
        assertThat(values.getFirst() & 0x100).isZero();
        assertThat(values.getLast() & 0x100).isNotZero();
        assertThat(bar.writes.getFirst().value()).isEqualTo(values.getFirst());
        assertThat(bar.writes.getLast().value()).isEqualTo(values.getLast());
        assertThat(bar.read32(filter)).isEqualTo(values.getLast());
    }

    @Test
    void turnsAFlexibleFilterOnWhenItsTableIsComplete() {
        FlowTable table = table(IgbModel.I210);
        add(table, "bytes 12=88cc to queue 3");
        bar.writes.clear();
        add(table, "bytes 12=88cd to queue 3");
        assertThat(bar.writes.getFirst()).isEqualTo(new RecordingBar.Write("WUFC", 0x0001_4000));
        assertThat(bar.writes.getLast()).isEqualTo(new RecordingBar.Write("WUFC", 0x0003_4000));
        assertThat(bar.writes).hasSize(2 + FHFT_WORDS);
    }

    @ParameterizedTest
    @EnumSource
    void clearsAllFiltersAfterAReset(IgbModel model) {
        FlowTable table = new FlowTable(new RegisterFile("test", bar), model, model.queues());
        bar.put(SYNQF, 1);
        bar.put(WUFC, 0x00ff_4001);
        for (int i = 0; i < 8; i++) {
            bar.write32(ETQF.at(i), -1);
            bar.write32(TTQF.at(i), -1);
            bar.write32(IMIR.at(i), -1);
        }
        table.apply();
        assertThat(bar.peek(SYNQF)).isZero();
        for (int i = 0; i < 8; i++) {
            assertThat(bar.read32(TTQF.at(i))).isEqualTo(OFF);
            assertThat(bar.read32(IMIR.at(i))).isZero();
        }
        for (int i = 0; i < model.etherTypeFilters(); i++) {
            assertThat(bar.read32(ETQF.at(i))).isZero();
        }
        assertThat(bar.peek(WUFC)).isEqualTo(model.flexibleFilters() > 0 ? 1 : 0x00ff_4001);
    }

    @ParameterizedTest
    @EnumSource
    void writesAllRulesAgainAfterAReset(IgbModel model) {
        FlowTable table = table(model);
        fill(table, model);
        Map<Integer, Integer> before = registers();
        for (int offset : before.keySet()) {
            bar.write32(offset, 0);
        }
        table.apply();
        assertThat(registers()).isEqualTo(before);
    }

    private void fill(FlowTable table, IgbModel model) {
        for (int i = 0; i < model.etherTypeFilters(); i++) {
            add(table, "ethertype 0x88b" + i + " to queue " + i % model.queues());
        }
        for (int i = 0; i < 8; i++) {
            add(table, "tcp any > any:" + i + " to queue " + i % model.queues() + ", priority " + i);
        }
        for (int i = 0; i < model.flexibleFilters(); i++) {
            add(table, "bytes " + i + "=0" + i + " to queue " + i % model.queues());
        }
        add(table, "syn to queue 1");
    }

    private Map<Integer, Integer> registers() {
        Map<Integer, Integer> values = new HashMap<>();
        for (var reg : List.of(ETQF, TTQF, SAQF, DAQF, SPQF, IMIR, IMIREXT, SYNQF, RFCTL, WUFC, FHFT, FHFT_EXT)) {
            for (int i = 0; i < reg.count(); i++) {
                values.put(reg.at(i), bar.read32(reg.at(i)));
            }
        }
        return values;
    }

    // ---- Order of rules

    @Test
    void keepsRulesInTheOrderInWhichTheyWereAdded() {
        FlowTable table = table(IgbModel.I82580);
        int[] ids = new int[8];
        for (int i = 0; i < 8; i++) {
            ids[i] = add(table, "tcp any > any:" + (i + 1) + " to queue " + i);
        }
        table.remove(ids[2]);
        table.update();
        add(table, "tcp any > any:9 to queue 0");
        int[] ports = {1, 2, 4, 5, 6, 7, 8, 9};
        for (int i = 0; i < 8; i++) {
            assertThat(bar.read32(IMIR.at(i))).isEqualTo(ports[i] << 8);
        }
    }

    /** Each rule that stays is in a filter before it is taken from the one where it was. */
    @ParameterizedTest
    @ValueSource(ints = {0, 3, 7})
    void missesNoRuleThatStaysWhileAnotherIsRemoved(int removed) {
        FlowTable table = table(IgbModel.I82576);
        int[] ids = new int[8];
        for (int i = 0; i < 8; i++) {
            ids[i] = add(table, "ethertype 0x88b" + i + " to queue " + i);
        }
        bar.writes.clear();
        table.remove(ids[removed]);
        table.update();
        int[] filters = new int[8];
        for (int i = 0; i < 8; i++) {
            filters[i] = 0x88b0 + i;
        }
        for (RecordingBar.Write write : bar.writes) {
            int slot = Integer.parseInt(write.register().replaceAll("\\D", ""));
            filters[slot] = write.value() & 0xffff;
            Set<Integer> present = new HashSet<>();
            for (int filter : filters) {
                present.add(filter);
            }
            for (int i = 0; i < 8; i++) {
                if (i != removed) {
                    assertThat(present).as("after %s", write).contains(0x88b0 + i);
                }
            }
        }
        assertThat(bar.writes).hasSize(8 - removed);
    }

    @Test
    void writesOnlyWhatHasChanged() {
        FlowTable table = table(IgbModel.I82576);
        int first = add(table, "ethertype 0x88b5 to queue 1");
        add(table, "syn to queue 1");
        written();
        add(table, "ethertype 0x88b6 to queue 1");
        assertThat(written()).containsExactly("ETQF[1]");
        table.remove(first);
        table.update();
        assertThat(written()).containsExactly("ETQF[0]", "ETQF[1]");
        table.update();
        assertThat(written()).isEmpty();
        table.clear();
        table.update();
        assertThat(written()).containsExactly("ETQF[0]", "SYNQF");
        assertThat(table.rules()).isEmpty();
    }

    /** However rules come and go, the device has those that there are, and no others. */
    @ParameterizedTest
    @EnumSource
    void hasInTheDeviceWhatIsInTheTable(IgbModel model) {
        Random random = new Random(model.ordinal());
        FlowTable table = table(model);
        for (int round = 0; round < 300; round++) {
            List<Integer> ids = new ArrayList<>(table.rules().keySet());
            if (!ids.isEmpty() && random.nextInt(3) == 0) {
                table.remove(ids.get(random.nextInt(ids.size())));
            } else {
                tryToAdd(table, random, model);
            }
            if (random.nextInt(4) > 0) {
                table.update();
            }
        }
        table.update();
        Map<Integer, Integer> after = enabled(model);
        FlowTable fresh = new FlowTable(new RegisterFile("test", bar), model, model.queues());
        table.rules().values().forEach(fresh::add);
        fresh.apply();
        assertThat(enabled(model)).isEqualTo(after);
        assertThat(table.rules()).isNotEmpty();
    }

    private static void tryToAdd(FlowTable table, Random random, IgbModel model) {
        String queue = " to queue " + random.nextInt(model.queues());
        String match = switch (random.nextInt(4)) {
            case 0 -> "ethertype 0x88b" + random.nextInt(10);
            case 1 -> "udp any > any:" + random.nextInt(10);
            case 2 -> "bytes " + random.nextInt(128) + "=aa";
            default -> "syn";
        };
        try {
            table.add(FlowRule.parse(match + queue));
        } catch (DoorbellException e) {
            // there is no room, or it is there already
        }
    }

    /** Without the tables of filters that are off. */
    private Map<Integer, Integer> enabled(IgbModel model) {
        Map<Integer, Integer> values = registers();
        for (int filter = 0; filter < model.flexibleFilters(); filter++) {
            if ((bar.peek(WUFC) >>> 16 & 1 << filter) == 0) {
                for (int word = 0; word < FHFT_WORDS; word++) {
                    values.remove((filter < 4 ? FHFT : FHFT_EXT).at(filter % 4 * FHFT_WORDS + word));
                }
            }
        }
        if (bar.peek(SYNQF) == 0) {
            values.remove(RFCTL.at(0));
        }
        if (model == IgbModel.I82576) {
            // The addresses and source ports of filters that are off.
            for (int i = 0; i < 8; i++) {
                if ((bar.read32(FTQF.at(i)) & 0x100) == 0) {
                    List.of(SAQF.at(i), DAQF.at(i), SPQF.at(i)).forEach(values::remove);
                }
            }
        }
        return values;
    }

    // ---- Refusals

    @ParameterizedTest
    @CsvSource({
        "I82576, 8, 8, 0, 16",
        "I82580, 8, 8, 8, 8",
        "I350, 8, 8, 8, 8",
        "I354, 8, 8, 8, 8",
        "I210, 4, 8, 8, 4",
        "I211, 4, 8, 8, 2"
    })
    void knowsWhatAModelHas(IgbModel model, int etherTypes, int tuples, int bytes, int queues) {
        Map<FlowKind, FlowCapacity> found = new HashMap<>();
        table(model)
                .capacity()
                .forEach(one -> assertThat(found.put(one.kind(), one)).isNull());
        Set<FlowField> fields = model == IgbModel.I82576
                ? EnumSet.allOf(FlowField.class)
                : EnumSet.of(FlowField.PROTOCOL, FlowField.DESTINATION_PORT);
        assertThat(found.remove(FlowKind.ETHER_TYPE))
                .isEqualTo(new FlowCapacity(FlowKind.ETHER_TYPE, etherTypes, queues, 0));
        assertThat(found.remove(FlowKind.TUPLE))
                .isEqualTo(new FlowCapacity(FlowKind.TUPLE, tuples, queues, 7, fields, 0));
        assertThat(found.remove(FlowKind.SYN)).isEqualTo(new FlowCapacity(FlowKind.SYN, 1, Math.min(8, queues), 1));
        if (bytes > 0) {
            assertThat(found.remove(FlowKind.BYTES))
                    .isEqualTo(new FlowCapacity(FlowKind.BYTES, bytes, queues, 7, Set.of(), 128));
        }
        assertThat(found).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void hasRoomForAsManyAsItSaysAndNoMore(IgbModel model) {
        FlowTable table = table(model);
        fill(table, model);
        int taken = model.etherTypeFilters() + 8 + model.flexibleFilters() + 1;
        assertThat(table.rules()).hasSize(taken);
        refuses(
                table,
                "ethertype 0x9000 to queue 0",
                "all " + model.etherTypeFilters() + " filters of its kind are taken",
                "remove a rule");
        refuses(table, "tcp any > any:9 to queue 0", "all 8 filters of its kind are taken");
        if (model.flexibleFilters() > 0) {
            refuses(table, "bytes 9=09 to queue 0", "all 8 filters of its kind are taken");
        }
        int removed = table.rules().keySet().iterator().next();
        table.remove(removed);
        assertThat(add(table, "ethertype 0x9000 to queue 0")).isEqualTo(taken);
    }

    @Test
    void refusesAQueueThatThereIsNot() {
        FlowTable two = new FlowTable(new RegisterFile("test", bar), IgbModel.I82576, 2);
        refuses(two, "syn to queue 2", "there is no queue 2, only 0 to 1", "NicConfig.withQueues");
        FlowTable one = new FlowTable(new RegisterFile("test", bar), IgbModel.I82576, 1);
        refuses(one, "syn to queue 1", "there is no queue 1, only 0", "NicConfig.withQueues");
        add(one, "syn to queue 0");
    }

    @Test
    void refusesAQueueThatAFilterCannotName() {
        FlowTable table = table(IgbModel.I82576);
        refuses(table, "syn to queue 8", "queues 0 to 7 only", "choose one of those");
        add(table, "syn to queue 7");
        assertThat(bar.peek(SYNQF)).isEqualTo(15);
    }

    @Test
    void refusesTheSameMatchTwiceWhateverQueueItNames() {
        FlowTable table = table(IgbModel.I82576);
        int id = add(table, "udp any > any:53 to queue 2");
        refuses(table, "udp any > any:53 to queue 2", "rule " + id + " puts these frames into queue 2");
        refuses(table, "udp any > any:53 to queue 3, priority 1", "remove that first");
        add(table, "udp any:53 > any to queue 2");
    }

    @Test
    void refusesAKindThatAModelHasNot() {
        refuses(
                table(IgbModel.I82576),
                "bytes 12=88cc to queue 0",
                "Intel 82576 has filters by ethertype, tuple, syn, not by bytes",
                "match otherwise");
    }

    @ParameterizedTest
    @EnumSource(mode = EXCLUDE, names = "I82576")
    void refusesFieldsThatAModelDoesNotCompare(IgbModel model) {
        FlowTable table = table(model);
        refuses(
                table,
                "tcp 10.0.0.1 > any:80 to queue 1",
                model + " compares no source address, only protocol and destination port",
                "or match by 'bytes'");
        refuses(
                table,
                "tcp any:7 > 10.0.0.1 to queue 1",
                "compares no source port and no destination address, only protocol");
    }

    @Test
    void refusesPrioritiesThatAFilterHasNot() {
        FlowTable table = table(IgbModel.I82580);
        refuses(table, "ethertype 0x88f7 to queue 0, priority 1", "have no priority", "leave it out");
        refuses(table, "syn to queue 0, priority 2", "go from 0 to 1");
        refuses(table, "udp any > any to queue 0, priority 8", "go from 0 to 7");
        refuses(table, "bytes 0=00 to queue 0, priority 8", "go from 0 to 7");
    }

    @Test
    void refusesBytesBeyondTheFirst128() {
        FlowTable table = table(IgbModel.I350);
        refuses(table, "bytes 128=00 to queue 0", "first 128 bytes", "byte 128");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0x0800", "0x86dd"})
    void refusesEtherTypesThatTheDeviceLooksInto(String type) {
        refuses(table(IgbModel.I82576), "ethertype " + type + " to queue 0", "look no further", "match by protocol");
    }

    @Test
    void removesOnlyWhatThereIs() {
        FlowTable table = table(IgbModel.I82576);
        assertThatThrownBy(() -> table.remove(0))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("test has no rule 0: it has none");
        int id = add(table, "syn to queue 0");
        int other = add(table, "udp any > any to queue 0");
        table.remove(id);
        assertThatThrownBy(() -> table.remove(id)).hasMessageContaining("no rule " + id + ": there are " + other);
        assertThat(add(table, "syn to queue 0"))
                .as("a number that was not used")
                .isGreaterThan(other);
    }

    @Test
    void saysThatTheDeviceIsGone() {
        FlowTable table = table(IgbModel.I82576);
        table.add(FlowRule.parse("syn to queue 0"));
        bar.gone = true;
        assertThatThrownBy(table::update).isInstanceOf(BrokenDeviceException.class);
        assertThat(bar.writes).isEmpty();
    }
}
