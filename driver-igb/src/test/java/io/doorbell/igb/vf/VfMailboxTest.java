package io.doorbell.igb.vf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.MacAddress;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class VfMailboxTest {

    private static final String NAME = "0000:01:10.0";
    private static final MacAddress OTHER = MacAddress.parse("52:54:00:12:34:56");

    private final FakePort port = new FakePort();
    private final VfMailbox mailbox = new VfMailbox(new RegisterFile(NAME, port), Duration.ofMillis(50));
    private final PortRequests requests = new PortRequests(mailbox);

    @Test
    void isKnownOnceItHasIntroducedItself() {
        assertThat(mailbox.isKnown()).isFalse();

        assertThat(requests.introduce()).contains(MacAddress.parse("02:00:00:00:00:07"));

        assertThat(mailbox.isKnown()).isTrue();
        assertThat(port.requests).hasSize(1).first().asString().startsWith("00000001");
        assertThat(port.acknowledged).as("the answer was acknowledged").isEqualTo(1);
    }

    @Test
    void isKnownToAPortThatHasNoAddressForIt() {
        port.address = null;

        assertThat(requests.introduce()).isEmpty();

        assertThat(mailbox.isKnown()).isTrue();
    }

    @Test
    void asksInTheWordsThatPortsKnow() {
        requests.introduce();
        port.requests.clear();

        requests.own(OTHER);
        requests.clear(OTHER);
        requests.add(OTHER);
        requests.vlan(7);
        requests.longest(1526);
        requests.promiscuous(true, true);
        requests.promiscuous(false, true);
        requests.promiscuous(false, false);

        assertThat(port.requests.stream().map(request -> request.substring(0, 17)))
                .startsWith("00000002 12005452", "00010002 12005452", "00020002 12005452")
                .contains("00010004 00000007", "00000005 000005f6")
                .endsWith(
                        "00030006 000005f6", "00020006 000005f6", "00000006 000005f6"); // one word, and what was there
        assertThat(port.requests.get(0)).endsWith("00005634");
    }

    /** The last two bytes on the wire, without the low four bits of the last but one. */
    @Test
    void namesGroupsByTheirHashesTwoAWord() {
        requests.introduce();
        port.requests.clear();

        requests.groups(List.of(
                MacAddress.parse("01:00:5e:00:00:fb"),
                MacAddress.parse("33:33:00:00:12:34"),
                MacAddress.parse("01:80:c2:00:00:0e")));

        assertThat(port.requests).containsExactly("00030003 03410fb0 000000e0");
    }

    @Test
    void namesAsManyGroupsAsTheBufferHolds() {
        requests.introduce();

        assertThat(requests.groups(IntStream.range(0, PortRequests.MOST_GROUPS)
                        .mapToObj(i -> new MacAddress(0x0100_5e00_0000L + i))
                        .toList()))
                .isTrue();
        assertThat(port.requests).last().asString().startsWith("001e0003");
    }

    @Test
    void tellsRefusedFromGranted() {
        requests.introduce();
        port.refused.add(0x0001_0004);

        assertThat(requests.vlan(5)).isFalse();
        assertThat(requests.longest(1526)).isTrue();
        assertThat(mailbox.isKnown()).isTrue();
    }

    @Test
    void saysThatAPortWithoutADriverReadsNothing() {
        port.absent = true;

        assertThatThrownBy(requests::introduce)
                .isInstanceOf(PortSilentException.class)
                .hasMessageContaining("not even read request 0x00000001")
                .hasMessageContaining("ip link set dev PORT up")
                .hasMessageContaining("/sys/bus/pci/devices/" + NAME + "/physfn/net");
        assertThat(mailbox.isKnown()).isFalse();
    }

    @Test
    void saysThatAPortReadsAndDoesNotAnswer() {
        requests.introduce();
        port.mute = true;

        assertThatThrownBy(() -> requests.vlan(5))
                .isInstanceOf(PortSilentException.class)
                .hasMessageContaining("read and not answered request 0x00010004");
        assertThat(mailbox.isKnown()).isFalse();
    }

    @Test
    void needsNoAcknowledgementWhereThereIsAnAnswer() {
        port.losesAcknowledgements = true;

        assertThat(requests.introduce()).isPresent();
        assertThat(requests.vlan(5)).isTrue();
    }

    @Test
    void asksAgainWhereThePortHasWrittenOverTheRequest() {
        requests.introduce();
        port.overwrites = 2;

        assertThat(requests.vlan(5)).isTrue();

        assertThat(port.requests).last().asString().startsWith("00010004 00000005");
    }

    @Test
    void givesUpWhereThePortWritesOverEachRequest() {
        requests.introduce();
        port.overwrites = 100;

        assertThatThrownBy(() -> requests.vlan(5)).isInstanceOf(PortSilentException.class);
        assertThat(port.overwrites).as("it was asked three times").isEqualTo(97);
    }

    /** Linux's igb answers to the message of its own that it finds in place of a request. */
    @Test
    void doesNotTakeTheAnswerToSomethingElseForItsOwn() {
        requests.introduce();
        port.refused.add(FakePort.CONTROL);
        port.overwrites = 1;

        assertThat(requests.vlan(5)).isTrue();
    }

    @Test
    void doesNotTakeAnOldAnswerForItsOwn() {
        requests.introduce();
        port.mute = true;
        assertThatThrownBy(() -> requests.vlan(5)).isInstanceOf(PortSilentException.class);
        port.ping();
        port.mute = false;
        port.refused.add(0x0000_0005);

        assertThat(requests.longest(1526)).isFalse();
    }

    @Test
    void doesNotWaitForAPortInReset() {
        requests.introduce();
        port.goDown();

        assertThatThrownBy(() -> requests.vlan(5)).isInstanceOf(PortSilentException.class);
        assertThat(mailbox.isPortInReset()).isTrue();
    }

    @Test
    void saysThatThePortKeepsTheBuffer() {
        port.keepsBuffer = true;

        assertThatThrownBy(requests::introduce)
                .isInstanceOf(PortSilentException.class)
                .hasMessageContaining("keeps the mailbox to itself");
    }

    @Test
    void noticesThatThePortWasReset() {
        requests.introduce();
        mailbox.listen();
        assertThat(mailbox.isKnown()).isTrue();

        port.blink();
        mailbox.listen();

        assertThat(mailbox.isKnown()).isFalse();
    }

    @Test
    void noticesThatThePortIsBeingReset() {
        requests.introduce();
        port.goDown();

        mailbox.listen();

        assertThat(mailbox.isKnown()).isFalse();
    }

    @Test
    void hearsWhetherThePortKnowsIt() {
        requests.introduce();
        port.ping();
        mailbox.listen();
        assertThat(mailbox.isKnown()).isTrue();

        port.known = false;
        port.ping();
        mailbox.listen();

        assertThat(mailbox.isKnown()).isFalse();
        assertThat(port.acknowledged).isEqualTo(3);
    }

    @Test
    void isToldOfThePortsResetByARefusalToo() {
        requests.introduce();
        port.known = false;

        assertThatThrownBy(() -> requests.vlan(5))
                .isInstanceOf(PortSilentException.class)
                .hasMessageContaining("it was reset");
        assertThat(mailbox.isKnown()).isFalse();
    }

    /** The read that finds an answer has cleared what says that the port was reset. */
    @Test
    void doesNotLoseWhatAReadHasCleared() {
        requests.introduce();
        port.blink();
        port.known = true; // so that nothing else tells

        assertThat(requests.vlan(5)).isTrue();
        mailbox.listen();

        assertThat(mailbox.isKnown()).isFalse();
    }
}
