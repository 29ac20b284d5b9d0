package io.doorbell.igb.filter;

import static io.doorbell.igb.spec.IgbRegisters.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.Destination;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written where; what it does, {@code IgbFilterTest} shows. */
class ReceiveFilterTest {

    private static final MacAddress OWN = MacAddress.parse("52:54:00:12:34:56");
    private static final int VALID = 1 << 31;

    private final RecordingBar bar = new RecordingBar();
    private final ReceiveFilter filter = filter(IgbModel.I82576);

    private ReceiveFilter filter(IgbModel model, Integer... vlans) {
        return new ReceiveFilter(new RegisterFile("test", bar), model, OWN, false, Set.of(vlans));
    }

    private static List<MacAddress> stations(int count) {
        return LongStream.range(0, count)
                .mapToObj(i -> new MacAddress(0x0200_0000_0000L + i))
                .toList();
    }

    private static List<MacAddress> groups(int count) {
        return LongStream.range(0, count)
                .mapToObj(i -> new MacAddress(0x3333_ff00_0000L + i))
                .toList();
    }

    @Test
    void putsItsOwnAddressFirstAndTheOthersBehind() {
        filter.others(Stream.concat(groups(1).stream(), stations(1).stream()).toList());
        filter.apply();
        assertThat(bar.read32(RAL.at(0))).isEqualTo(0x1200_5452);
        assertThat(bar.read32(RAH.at(0))).isEqualTo(VALID | 0x5634);
        assertThat(bar.read32(RAL.at(1))).isEqualTo(2);
        assertThat(bar.read32(RAH.at(1))).isEqualTo(VALID);
        assertThat(bar.read32(RAL.at(2))).isEqualTo(0x00ff_3333);
        assertThat(bar.read32(RAH.at(2))).isEqualTo(VALID);
        assertThat(bar.read32(RAH.at(3))).isZero();
    }

    @Test
    void hasNoAddressValidWhoseOtherHalfIsAnothers() {
        filter.apply();
        bar.writes.clear();
        filter.own(stations(1).getFirst());
        filter.apply();
        assertThat(bar.writes.subList(0, 3))
                .containsExactly(
                        new RecordingBar.Write("RAH[0]", 0),
                        new RecordingBar.Write("RAL[0]", 2),
                        new RecordingBar.Write("RAH[0]", VALID));
    }

    @ParameterizedTest
    @EnumSource
    void usesAllAddressRegistersOfAModelAndNoMore(IgbModel model) {
        ReceiveFilter all = filter(model);
        all.others(stations(model.receiveAddresses() - 1));
        all.apply();
        assertThat(bar.read32(RAH.at(15))).isEqualTo(VALID | 14 << 8);
        if (model.receiveAddresses() > 16) {
            assertThat(bar.read32(RAH_16.at(model.receiveAddresses() - 17))).isNotZero();
        }
        assertThat(bar.writes.stream()
                        .filter(write -> write.register().startsWith("RAH") && write.value() != 0)
                        .count())
                .isEqualTo(model.receiveAddresses());
        assertThatThrownBy(() -> all.others(stations(model.receiveAddresses())))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("test: the device has registers for " + model.receiveAddresses())
                .hasMessageContaining("use allUnicast");
    }

    @Test
    void looksUpByHashWhatHasNoRegister() {
        filter.others(groups(25));
        filter.apply();
        // The last two: 33:33:ff:00:00:17 and :18.
        for (int last : new int[] {0x17, 0x18}) {
            int hash = last << 4;
            assertThat(bar.read32(MTA.at(hash / 32)) >>> hash % 32 & 1).isOne();
        }
        int bits = 0;
        for (int i = 0; i < MTA.count(); i++) {
            bits += Integer.bitCount(bar.read32(MTA.at(i)));
        }
        assertThat(bits).isEqualTo(2);
        filter.others(List.of());
        filter.apply();
        assertThat(bar.writes).contains(new RecordingBar.Write("MTA[0]", 0), new RecordingBar.Write("MTA[127]", 0));
        assertThat(bar.read32(MTA.at((0x17 << 4) / 32))).isZero();
    }

    @Test
    void hashesTheBitsOfTheAddressThatTheDataSheetNames() {
        filter.others(Stream.concat(groups(23).stream(), Stream.of(MacAddress.parse("01:00:00:00:a5:bc")))
                .toList());
        filter.apply();
        // Bits 47 to 36 are 0xbca: register 0xbca >> 5, bit 0xbca & 31.
        assertThat(bar.read32(MTA.at(0xbca >> 5))).isEqualTo(1 << (0xbca & 31));
    }

    @Test
    void filtersByVlan() {
        filter(IgbModel.I82576, 0, 33, 4094).apply();
        assertThat(bar.read32(VFTA.at(0))).isEqualTo(1);
        assertThat(bar.read32(VFTA.at(1))).isEqualTo(2);
        assertThat(bar.read32(VFTA.at(127))).isEqualTo(1 << 30);
        assertThat(RCTL_VFE.isSetIn(bar.read32(RCTL.at(0)))).isTrue();
    }

    @Test
    void leavesTheRestOfRctlAlone() {
        bar.put(RCTL, RCTL_RXEN.mask() | RCTL_SECRC.mask() | RCTL_UPE.mask() | RCTL_MO.mask());
        filter.apply();
        assertThat(bar.peek(RCTL)).isEqualTo(RCTL_RXEN.mask() | RCTL_SECRC.mask() | RCTL_BAM.mask());
    }

    @Test
    void refusesWhatTheDeviceCannotTellApart() {
        filter.allMulticast(true);
        assertThatThrownBy(() -> filter.drop(Set.of(Destination.BROADCAST)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("test: the device cannot receive all multicast frames and drop broadcasts");
        filter.drop(Set.of(Destination.BROADCAST, Destination.MULTICAST));
        filter.apply();
        assertThat(bar.peek(RCTL)).isZero();
        filter.allMulticast(false);
        filter.drop(Set.of(Destination.BROADCAST));
        assertThatThrownBy(() -> filter.allMulticast(true)).isInstanceOf(DoorbellException.class);
        assertThatThrownBy(() -> filter.own(MacAddress.BROADCAST)).isInstanceOf(DoorbellException.class);
        assertThat(filter.own()).isEqualTo(OWN);
    }
}
