package io.doorbell.igb.nvm;

import static io.doorbell.igb.spec.IgbRegisters.EEC;
import static io.doorbell.igb.spec.IgbRegisters.EEC_EE_PRES;
import static io.doorbell.igb.spec.IgbRegisters.EEC_EE_SIZE;
import static io.doorbell.igb.spec.IgbRegisters.EEC_FLASH_DETECTED;
import static io.doorbell.igb.spec.IgbRegisters.SW_FW_SYNC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.NvmChecksum;
import io.doorbell.frame.ability.NvmField;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Images as the family's other members have them, and damaged ones. What QEMU's device has is in IgbDiagnosisTest. */
class IgbNvmTest {

    private static final int SIZE = 1024;
    private static final int SUM = 0xBABA;

    private final RecordingBar bar = new RecordingBar();

    @BeforeEach
    void writeImage() {
        bar.put(EEC, EEC_EE_PRES.mask() | EEC_EE_SIZE.of(4));
        bar.nvm = new int[SIZE];
        Arrays.fill(bar.nvm, 0xFFFF);
        for (int port = 0; port < 4; port++) {
            int from = port == 0 ? 0 : 0x40 * (port + 1);
            put(from, 0x3600 | 0xA0, 0x569F, 0x0100 + 0x100 * port);
        }
        put(0x03, 0x8000, 0xFFFF, 0x3025);
        put(0x08, 0xE459, 0x3804);
        put(0x0B, 0x0001, 0x8086, 0x150E, 0x8086);
        put(0x37, 0x0000);
        seal();
    }

    private void put(int from, int... words) {
        System.arraycopy(words, 0, bar.nvm, from, words.length);
    }

    /** Writes the checksums. */
    private void seal() {
        for (int from : new int[] {0, 0x80, 0xC0, 0x100}) {
            int sum = Arrays.stream(bar.nvm, from, from + 0x3F).sum();
            bar.nvm[from + 0x3F] = SUM - sum & 0xFFFF;
        }
    }

    private IgbNvm nvm(IgbModel model) {
        return new IgbNvm(new RegisterFile("test", bar), model);
    }

    private Map<String, String> fields(IgbModel model) {
        return nvm(model).fields().stream().collect(Collectors.toMap(NvmField::name, NvmField::value));
    }

    @Test
    void readsWordsUnderTheirSemaphore() {
        assertThat(nvm(IgbModel.I82580).read(0x0D, 2)).containsExactly(0x150E, 0x8086);
        int taken = bar.indexOf(SW_FW_SYNC);
        assertThat(bar.writes.get(taken).value()).isEqualTo(1);
        assertThat(bar.peek(SW_FW_SYNC)).isZero();
    }

    @Test
    void letsTheFirmwareHaveItsTurnWhileItReadsAll() {
        assertThat(nvm(IgbModel.I82580).read(0, SIZE)).isEqualTo(bar.nvm);
        assertThat(bar.writes.stream().filter(write -> write.register().equals("SW_FW_SYNC") && write.value() != 0))
                .hasSize(2);
    }

    @Test
    void doesNotReadWhileTheFirmwareDoes() {
        bar.put(SW_FW_SYNC, 1 << 16);
        assertThatThrownBy(() -> nvm(IgbModel.I82580).read(0, 1))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("the NVM semaphore of test")
                .hasMessageContaining("SW_FW_SYNC=0x00010000");
    }

    @Test
    void saysWhichWordIsNeverDone() {
        bar.brokenWord = 0x2A;
        assertThatThrownBy(() -> nvm(IgbModel.I82580).checksums())
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("word 0x2a of the NVM of test")
                .hasMessageContaining("EERD=0x000000a9, and DONE (bit 1) is clear");
        assertThat(bar.peek(SW_FW_SYNC)).as("the semaphore is given back").isZero();
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "0, 1025", "1024, 1", "1, -1", "2147483647, 2"})
    void refusesWordsThatThereAreNot(int from, int count) {
        assertThatThrownBy(() -> nvm(IgbModel.I82580).read(from, count))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("the NVM of test has words 0x0 to 0x3ff")
                .hasMessageContaining(count + " words");
    }

    @Test
    void saysThatEerdDoesNotReachTheEndOfALargeOne() {
        bar.put(EEC, EEC_EE_PRES.mask() | EEC_EE_SIZE.of(15));
        assertThat(nvm(IgbModel.I82580).words()).isEqualTo(32768);
        assertThatThrownBy(() -> nvm(IgbModel.I82580).read(0x3FFF, 2))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("EERD reaches those below 0x4000 only");
    }

    @ParameterizedTest
    @EnumSource
    void sumsUpTheSectionsOfEachModel(IgbModel model) {
        int[] starts =
                nvm(model).checksums().stream().mapToInt(NvmChecksum::from).toArray();
        switch (model) {
            case I82580, I350, I354 -> assertThat(starts).containsExactly(0, 0x80, 0xC0, 0x100);
            case I82576, I210, I211 -> assertThat(starts).containsExactly(0);
        }
        assertThat(nvm(model).checksums()).allMatch(NvmChecksum::valid);
    }

    @Test
    void looksForTheSectionsOfAn82580InItsCompatibilityWord() {
        bar.nvm[0x03] = 0x7FFF;
        bar.nvm[0x90]++; // not looked at
        seal();
        bar.nvm[0x91]++;
        assertThat(nvm(IgbModel.I82580).checksums()).containsExactly(new NvmChecksum("all ports", 0, 0x3F, SUM, SUM));
        assertThat(fields(IgbModel.I82580)).doesNotContainKey("MAC address of port 1");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "63, 0", "128, 1", "191, 1", "192, 2", "319, 3"})
    void findsTheSectionThatIsDamaged(int word, int port) {
        bar.nvm[word] ^= 0x0010;
        var sums = nvm(IgbModel.I350).checksums();
        assertThat(sums).filteredOn(sum -> !sum.valid()).singleElement().satisfies(sum -> {
            assertThat(sum.covers()).isEqualTo("port " + port);
            assertThat(sum.sum()).isIn(SUM - 0x10, SUM + 0x10);
        });
    }

    @Test
    void decodesWhatItKnows() {
        assertThat(fields(IgbModel.I82580))
                .containsEntry("MAC address of port 0", "a0:36:9f:56:00:01")
                .containsEntry("MAC address of port 3", "a0:36:9f:56:00:04")
                .containsEntry("compatibility", "0x8000")
                .containsEntry("image version", "3.2.5")
                .containsEntry("PBA number", "E45938-004")
                .containsEntry("vendor id", "0x8086")
                .containsEntry("device id", "0x150e")
                .containsEntry("subsystem vendor id", "0x8086")
                .containsEntry("subsystem id", "0x0001")
                .doesNotContainKeys("eTrack id", "alternate MAC address of port 0");
        assertThat(nvm(IgbModel.I82580).fields())
                .contains(new NvmField("MAC address of port 3", 0x100, "a0:36:9f:56:00:04"));
    }

    @ParameterizedTest
    @CsvSource({
        "I82580, 1063, ffff, 1.6.3",
        "I82580, 1063, 8000, 1.63",
        "I350, 1063, ffff, 1.63",
        "I350, 1630, 8000, 1.63",
        "I210, 3025, 8000, 3.25",
        "I82576, 0000, ffff, none (0x0000)",
        "I82576, ffff, 8000, none (0xffff)"
    })
    void readsTheVersionInEachOfItsForms(IgbModel model, String version, String etrack, String shown) {
        bar.nvm[0x05] = Integer.parseInt(version, 16);
        put(0x42, 0x0AB3, Integer.parseInt(etrack, 16));
        assertThat(fields(model)).containsEntry("image version", shown);
        if (etrack.equals("8000")) {
            assertThat(fields(model)).containsEntry("eTrack id", "0x80000ab3");
        } else {
            assertThat(fields(model)).doesNotContainKey("eTrack id");
        }
    }

    @Test
    void readsAPbaNumberThatIsText() {
        put(0x08, 0xFAFA, 0x200);
        put(0x200, 6, 'G' << 8 | '2', '3' << 8 | '0', '0' << 8 | '9', '-' << 8 | '0', '0' << 8 | '1');
        assertThat(fields(IgbModel.I350)).containsEntry("PBA number", "G23009-001");
        bar.nvm[0x205] = '0' << 8;
        assertThat(fields(IgbModel.I350)).containsEntry("PBA number", "G23009-00");
    }

    @ParameterizedTest
    @CsvSource({
        "400, 0006, which is beyond the end",
        "ffff, 0006, which is beyond the end",
        "200, 0000, where the length is 0x0000",
        "200, 0001, where the length is 0x0001",
        "200, ffff, where the length is 0xffff",
        "3ff, 0002, where the length is 0x0002",
        "200, 0003, where there is something else than text"
    })
    void saysWhyAPbaNumberIsNone(String pointer, String length, String why) {
        put(0x08, 0xFAFA, Integer.parseInt(pointer, 16));
        put(0x200, Integer.parseInt(length, 16));
        put(0x3FF, Integer.parseInt(length, 16));
        assertThat(fields(IgbModel.I350).get("PBA number"))
                .startsWith(String.format("none (word 0x09 points to 0x%04x, ", Integer.parseInt(pointer, 16)))
                .endsWith(why + ")");
    }

    @Test
    void saysWhatIsNotWritten() {
        put(0x00, 0, 0, 0);
        put(0x08, 0xFFFF, 0xFFFF);
        put(0x80, 0xFFFF, 0xFFFF, 0xFFFF);
        assertThat(fields(IgbModel.I350))
                .containsEntry("MAC address of port 0", "none (00:00:00:00:00:00)")
                .containsEntry("MAC address of port 1", "none (ff:ff:ff:ff:ff:ff)")
                .containsEntry("PBA number", "none (0xffff 0xffff)");
    }

    @Test
    void findsTheAlternateAddressesOfAn82576() {
        String name = "alternate MAC address of port 0";
        assertThat(fields(IgbModel.I82576)).containsEntry(name, "none");
        bar.nvm[0x37] = 0x300;
        put(0x300, 0x1B00, 0xAA21, 0x0102);
        assertThat(fields(IgbModel.I82576)).containsEntry(name, "00:1b:21:aa:02:01");
        bar.nvm[0x37] = 0x3FE;
        assertThat(fields(IgbModel.I82576)).containsEntry(name, "none (word 0x37 points beyond the end, to 0x03fe)");
    }

    @Test
    void hasAnotherAddressForEachPortOfAn82576() {
        assertThat(nvm(IgbModel.I82576).alternateAddress(0)).isEmpty();
        bar.nvm[0x37] = 0x300;
        put(0x300, 0x1B00, 0xAA21, 0x0102, 0x1B00, 0xAA21, 0x0103, 0xFFFF, 0xFFFF, 0xFFFF);
        assertThat(nvm(IgbModel.I82576).alternateAddress(0)).contains(MacAddress.parse("00:1b:21:aa:02:01"));
        assertThat(nvm(IgbModel.I82576).alternateAddress(1)).contains(MacAddress.parse("00:1b:21:aa:03:01"));
        assertThat(nvm(IgbModel.I82576).alternateAddress(2))
                .as("of all stations")
                .isEmpty();
        assertThat(nvm(IgbModel.I350).alternateAddress(0))
                .as("its firmware sees to it")
                .isEmpty();
        bar.nvm[0x37] = 0x3FE;
        assertThat(nvm(IgbModel.I82576).alternateAddress(0))
                .as("beyond the end")
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void saysWhyThereIsNone(IgbModel model) {
        bar.put(EEC, 0);
        String why = nvm(model).whyNot().orElseThrow();
        assertThat(why).contains("Nic.macAddress");
        switch (model) {
            case I82576, I82580, I350, I354 -> assertThat(why).contains("EE_PRES is clear");
            case I210 -> assertThat(why).contains("FLASH_DETECTED is clear").contains("iNVM");
            case I211 ->
                assertThat(why)
                        .contains("an Intel I211 has no EEPROM and no flash")
                        .contains("iNVM");
        }
        bar.put(EEC, EEC_EE_PRES.mask());
        assertThat(nvm(model).whyNot().isPresent()).isEqualTo(model == IgbModel.I210 || model == IgbModel.I211);
        bar.put(EEC, EEC_FLASH_DETECTED.mask());
        assertThat(nvm(model).whyNot().isPresent()).isEqualTo(model != IgbModel.I210);
    }
}
