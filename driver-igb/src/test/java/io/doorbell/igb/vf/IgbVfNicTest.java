package io.doorbell.igb.vf;

import static io.doorbell.igb.vf.VfRegisters.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.ability.Destination;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.ability.QueueInterrupts;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.ability.RssControl;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.pci.Bar;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import io.doorbell.pci.simulated.MemoryFunction;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the port is asked for, and when; frames are moved in a guest, by {@code VirtualFunctionIT}. */
@Timeout(60)
class IgbVfNicTest {

    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final Duration PATIENCE = Duration.ofMillis(100);
    private static final LinkState UP = new LinkState(true, 1000, true);
    private static final MacAddress OTHER = MacAddress.parse("52:54:00:12:34:56");
    private static final NicConfig TAGS = NicConfig.defaults().withReceiveOffloads(Offloads.VLAN_TAG);

    private final FakePort port = new FakePort();
    private final Function function = new Function(port);
    private Nic nic;

    private Nic open(NicConfig config) {
        nic = IgbVfNic.open("0000:01:10.0", function, VfModel.I82576, config, PATIENCE);
        return nic;
    }

    @AfterEach
    void close() {
        if (nic != null) {
            nic.close();
        }
    }

    @Test
    void isGivenItsAddressByThePort() {
        open(NicConfig.defaults());

        assertThat(nic.macAddress()).isEqualTo(port.address);
        assertThat(nic.model()).isEqualTo("Intel 82576 virtual function");
        assertThat(nic.linkState()).isEqualTo(UP);
        assertThat(requests())
                .as("asked for no address, and for frames of 1518 bytes, the check sequence and a tag")
                .containsExactly("00000001", "00000005");
        assertThat(port.requests.get(1)).contains(" 000005f6 ");
    }

    @Test
    void drawsAnAddressWhereThePortHasNoneAndKeepsIt() {
        port.address = null;
        open(NicConfig.defaults());
        MacAddress drawn = nic.macAddress();

        assertThat(drawn.isUnicast()).isTrue();
        assertThat(drawn.octet(0) & 2).as("locally administered").isEqualTo(2);
        assertThat(requests()).contains("00000002");

        nic.reset();

        assertThat(nic.macAddress()).isEqualTo(drawn);
    }

    @Test
    void setsUpItsRingsWhereAVirtualFunctionHasThem() {
        open(NicConfig.defaults().withRingSizes(128, 256));

        assertThat(port.peek(RDLEN)).isEqualTo(128 * 16);
        assertThat(port.peek(TDLEN)).isEqualTo(256 * 16);
        assertThat(IgbRegisters.RXDCTL_ENABLE.isSetIn(port.peek(RXDCTL))).isTrue();
        assertThat(IgbRegisters.TXDCTL_ENABLE.isSetIn(port.peek(TXDCTL))).isTrue();
        assertThat(port.peek(RDT)).as("the receive ring was filled").isEqualTo(127);
        assertThat(RDT.at(0)).isEqualTo(0x2818);
        assertThat(TDT.at(0)).isEqualTo(0x3818);
    }

    @Test
    void doesNotOpenWhileThePortIsDown() {
        port.goDown();

        assertThatThrownBy(() -> open(NicConfig.defaults()))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("held in reset")
                .hasMessageContaining("ip link set dev PORT up");
        assertThat(function.closed).isTrue();
    }

    @Test
    void doesNotOpenWherePortHasNoDriver() {
        port.absent = true;

        assertThatThrownBy(() -> open(NicConfig.defaults()))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("not even read");
        assertThat(function.closed).isTrue();
    }

    @Test
    void asksForItsVlans() {
        open(TAGS.withVlans(7, 9));

        assertThat(port.requests.stream().map(request -> request.substring(0, 17)))
                .contains("00010004 00000007", "00010004 00000009");
    }

    @Test
    void doesNotOpenWithAVlanThatThePortRefuses() {
        port.refused.add(0x0001_0004);

        assertThatThrownBy(() -> open(TAGS.withVlans(7)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("refuses VLAN 7");
    }

    /** The port takes them out in any case: they would be lost. */
    @Test
    void doesNotOpenWithVlansAndNoTags() {
        assertThatThrownBy(() -> open(NicConfig.defaults().withVlans(7)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("NicConfig.withReceiveOffloads(Offloads.VLAN_TAG)");
        assertThat(port.requests).isEmpty();
    }

    @Test
    void stampsNoFrameSinceItHasNoClock() {
        open(NicConfig.defaults());
        assertThat(nic.txQueue(0).limits().offloads() & Offloads.TIME_STAMP).isZero();
    }

    @Test
    void hasOneQueue() {
        assertThatThrownBy(() -> open(NicConfig.defaults().withQueues(2)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("has one queue in each direction");
    }

    @Test
    void hasWhatAVirtualFunctionCanDo() {
        function.vectors = 3;
        open(NicConfig.defaults());

        assertThat(nic.abilities().types())
                .containsExactlyInAnyOrder(MacFilter.class, RegisterDump.class, QueueInterrupts.class);
        assertThatThrownBy(() -> nic.ability(RssControl.class)).isInstanceOf(DoorbellException.class);
    }

    @Test
    void saysThatItHasTooFewVectorsToSleep() {
        function.vectors = 1;
        open(NicConfig.defaults());

        assertThatThrownBy(() -> nic.ability(QueueInterrupts.class))
                .hasMessageContaining("it has 1 MSI-X vectors and takes 2");
    }

    @Test
    void tellsTheDeviceItsVectorsOnceAThreadWantsToSleep() {
        function.vectors = 3;
        open(NicConfig.defaults());
        assertThat(port.peek(IVAR0)).isZero();

        nic.ability(QueueInterrupts.class).rxAlarm(0);

        assertThat(port.peek(IVAR0)).isEqualTo(0x81);
        assertThat(port.peek(IVAR_MISC)).isEqualTo(0x80);
        assertThat(port.peek(EIAM)).isEqualTo(3);
        nic.reset();
        assertThat(port.peek(IVAR0)).isEqualTo(0x81);
    }

    @Test
    void dumpsItsRegistersAndLeavesTheMailboxAlone() {
        open(NicConfig.defaults());
        port.ping();

        List<String> names = nic.ability(RegisterDump.class).registers().stream()
                .map(RegisterValue::name)
                .toList();

        assertThat(names)
                .contains("STATUS", "RDT[0]", "RDT[1]", "VMBMEM[15]", "VFGPRC")
                .doesNotContain("V2PMAILBOX");
        nic.linkState();
        assertThat(port.acknowledged).as("the message was still to be had").isEqualTo(3);
    }

    // ---- The filter

    @Test
    void asksForAnotherAddress() {
        open(NicConfig.defaults());

        nic.ability(MacFilter.class).macAddress(OTHER);

        assertThat(port.requests).last().isEqualTo("00000002 12005452 00005634");
        assertThat(nic.macAddress()).isEqualTo(OTHER);
    }

    @Test
    void keepsItsAddressWhereThePortRefusesAnother() {
        open(NicConfig.defaults());
        port.refused.add(2);

        assertThatThrownBy(() -> nic.ability(MacFilter.class).macAddress(OTHER))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("refuses the address " + OTHER)
                .hasMessageContaining("trust on");
        assertThat(nic.macAddress()).isEqualTo(port.address);
    }

    @Test
    void asksForOtherAddresses() {
        open(NicConfig.defaults());
        port.requests.clear();

        nic.ability(MacFilter.class).addresses(List.of(OTHER, MacAddress.parse("01:00:5e:00:00:fb")));

        assertThat(requests()).containsExactly("00010002", "00020002", "00010003");

        port.requests.clear();
        nic.ability(MacFilter.class).addresses(List.of());

        assertThat(requests()).as("all are taken back").containsExactly("00010002", "00000003");
    }

    @Test
    void goesBackToTheAddressesThatItHadWhereThePortRefusesMore() {
        open(NicConfig.defaults());
        nic.ability(MacFilter.class).addresses(List.of());
        port.requests.clear();
        port.refused.add(0x0002_0002);

        assertThatThrownBy(() -> nic.ability(MacFilter.class).addresses(List.of(OTHER)))
                .hasMessageContaining("refuses frames for " + OTHER);

        assertThat(requests()).containsExactly("00010002", "00020002", "00010002");
        port.requests.clear();
        nic.reset();
        assertThat(requests()).containsExactly("00000001", "00000005");
    }

    @Test
    void doesNotAskForMoreGroupsThanARequestHolds() {
        open(NicConfig.defaults());

        assertThatThrownBy(() -> nic.ability(MacFilter.class)
                        .addresses(IntStream.range(0, 31)
                                .mapToObj(i -> new MacAddress(0x0100_5e00_0000L + i))
                                .toList()))
                .hasMessageContaining("30 multicast groups, not for 31")
                .hasMessageContaining("allMulticast");
    }

    @Test
    void asksForAllGroups() {
        open(NicConfig.defaults());

        nic.ability(MacFilter.class).allMulticast(true);
        assertThat(requests()).last().isEqualTo("00020006");
        nic.ability(MacFilter.class).allMulticast(false);
        assertThat(requests()).last().isEqualTo("00000006");
    }

    @Test
    void saysThatThePortKeepsOthersFramesToItself() {
        open(NicConfig.defaults());
        port.refused.add(0x0003_0006);

        assertThatThrownBy(() -> nic.promiscuous(true))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("MacFilter.addresses");

        assertThat(requests()).as("what a refusal leaves behind is undone").endsWith("00030006", "00000006");
        port.requests.clear();
        nic.reset();
        assertThat(requests()).as("it is not asked for again").containsExactly("00000001", "00000005");
    }

    @Test
    void cannotHaveThePortDropFrames() {
        open(NicConfig.defaults());

        nic.ability(MacFilter.class).drop(Set.of());
        assertThatThrownBy(() -> nic.ability(MacFilter.class).drop(Set.of(Destination.BROADCAST)))
                .hasMessageContaining("BROADCAST");
    }

    // ---- The port's coming and going

    @Test
    void isDownWhileThePortIsAndThenAsBefore() {
        open(TAGS.withVlans(7));
        nic.ability(MacFilter.class).macAddress(OTHER);
        nic.ability(MacFilter.class).allMulticast(true);
        FrameBatch batch = new FrameBatch(4);
        port.goDown();

        assertThat(nic.linkState()).isEqualTo(LinkState.DOWN);
        assertThat(nic.rxQueue(0).receive(batch)).as("frames while it is down").isZero();
        assertThat(nic.txQueue(0).send(batch)).isZero();
        assertThatThrownBy(() -> nic.awaitLink(Duration.ZERO))
                .hasMessageContaining("its port is down: start it with 'ip link set dev PORT up'");
        assertThat(port.peek(RXDCTL)).isZero();

        port.requests.clear();
        port.comeUp();

        assertThat(nic.awaitLink(DEADLINE)).isEqualTo(UP);
        assertThat(requests()).containsExactly("00000001", "00000002", "00010004", "00020006", "00000005");
        assertThat(nic.macAddress()).isEqualTo(OTHER);
        assertThat(IgbRegisters.RXDCTL_ENABLE.isSetIn(port.peek(RXDCTL))).isTrue();
        assertThat(port.peek(RDT)).as("the receive ring was filled").isEqualTo(511);
        assertThat(nic.rxQueue(0).receive(batch)).isZero();
    }

    @Test
    void recoversByItselfWhereNobodyAsks() {
        open(NicConfig.defaults());
        port.requests.clear();
        port.blink();

        await(() -> IgbRegisters.TXDCTL_ENABLE.isSetIn(port.peek(TXDCTL)));

        assertThat(port.requests).isNotEmpty();
    }

    @Test
    void keepsWhatIsWantedWhileThePortIsAway() {
        open(NicConfig.defaults());
        port.goDown();

        nic.ability(MacFilter.class).macAddress(OTHER);
        nic.ability(MacFilter.class).allMulticast(true);
        port.requests.clear();
        port.comeUp();
        nic.awaitLink(DEADLINE);

        assertThat(requests()).contains("00000002", "00020006");
        assertThat(nic.macAddress()).isEqualTo(OTHER);
    }

    @Test
    void takesANewAddressFromItsAdministrator() {
        open(NicConfig.defaults());
        port.address = OTHER;
        port.blink();
        nic.awaitLink(DEADLINE);

        assertThat(nic.macAddress()).isEqualTo(OTHER);
    }

    @Test
    void staysDownAndSaysWhyWhereThePortRefusesWhatItGrantedBefore() {
        open(TAGS.withVlans(7));
        port.refused.add(0x0001_0004);
        port.blink();

        assertThatThrownBy(() -> nic.awaitLink(Duration.ZERO)).hasMessageContaining("refuses VLAN 7");

        port.refused.clear();
        nic.awaitLink(DEADLINE);
    }

    @Test
    void doesNotAskAgainAndAgainWhereThePortIsSilent() {
        open(NicConfig.defaults());
        port.blink();
        port.mute = true;
        port.requests.clear();

        for (int i = 0; i < 100; i++) {
            assertThat(nic.linkState()).isEqualTo(LinkState.DOWN);
        }

        assertThat(port.requests).hasSizeLessThan(5);
    }

    @Test
    void isDownWhereThePortsCableIsOut() {
        open(NicConfig.defaults());
        port.link = false;

        assertThat(nic.linkState()).isEqualTo(LinkState.DOWN);
        assertThatThrownBy(() -> nic.awaitLink(Duration.ZERO)).hasMessageContaining("its port answers");
        port.link = true;
        assertThat(nic.linkState()).isEqualTo(UP);
        assertThat(requests()).as("nothing was set up anew").containsExactly("00000001", "00000005");
    }

    @Test
    void asksForNothingWhileItIsStopped() {
        open(NicConfig.defaults());
        nic.stop();
        port.requests.clear();

        nic.ability(MacFilter.class).macAddress(OTHER);
        assertThat(nic.linkState()).isEqualTo(LinkState.DOWN);
        assertThat(port.requests).isEmpty();
        assertThat(IgbRegisters.RXDCTL_ENABLE.isSetIn(port.peek(RXDCTL))).isFalse();

        nic.start();
        assertThat(requests()).containsExactly("00000001", "00000002", "00000005");
        assertThat(nic.linkState()).isEqualTo(UP);
    }

    @Test
    void cannotBeStartedWhileThePortIsDownAndCanLater() {
        open(NicConfig.defaults());
        nic.stop();
        port.goDown();

        assertThatThrownBy(nic::start).isInstanceOf(DoorbellException.class).hasMessageContaining("held in reset");

        port.comeUp();
        nic.start();
        assertThat(nic.linkState()).isEqualTo(UP);
    }

    @Test
    void saysThatItIsGone() {
        open(NicConfig.defaults());
        port.gone = true;

        assertThatThrownBy(nic::linkState).isInstanceOf(BrokenDeviceException.class);
        nic.close();
        assertThat(function.closed).isTrue();
    }

    // ---- Statistics

    @Test
    void countsIn64BitsAcrossTheEndOfACounter() {
        port.put(VFGPRC, 0xffff_fff0);
        port.put(VFGORC, 0xffff_0000);
        open(NicConfig.defaults());
        assertThat(nic.statistics().rxFrames()).as("what was before").isZero();

        port.put(VFGPRC, 0x10);
        port.put(VFGORC, 0x10);
        assertThat(nic.statistics().rxFrames()).isEqualTo(0x20);
        assertThat(nic.statistics().rxBytes()).isEqualTo(0x1_0010);
        port.put(VFGPTC, 5);
        assertThat(nic.statistics().txFrames()).isEqualTo(5);
        assertThat(nic.statistics().details()).containsEntry("VFGPTC", 5L);
    }

    @Test
    void doesNotTakeAResetForTheEndOfACounter() {
        open(NicConfig.defaults());
        port.put(VFGPRC, 100);
        assertThat(nic.statistics().rxFrames()).isEqualTo(100);

        port.blink();
        nic.awaitLink(DEADLINE);
        port.put(VFGPRC, 3);

        assertThat(nic.statistics().rxFrames()).isEqualTo(103);
    }

    // ---- Closing

    @Test
    void saysThatItIsClosed() {
        open(NicConfig.defaults());
        MacFilter filter = nic.ability(MacFilter.class);
        nic.close();
        nic.close();

        assertThatThrownBy(nic::linkState).isInstanceOf(NicClosedException.class);
        assertThatThrownBy(nic::start).isInstanceOf(NicClosedException.class);
        assertThatThrownBy(nic::reset).isInstanceOf(NicClosedException.class);
        assertThatThrownBy(nic::statistics).isInstanceOf(NicClosedException.class);
        assertThatThrownBy(() -> nic.awaitLink(Duration.ZERO)).isInstanceOf(NicClosedException.class);
        assertThatThrownBy(() -> filter.macAddress(OTHER)).isInstanceOf(NicClosedException.class);
        assertThatThrownBy(() -> nic.rxQueue(0).receive(new FrameBatch(1))).isInstanceOf(NicClosedException.class);
        nic.stop();
        assertThat(IgbRegisters.RXDCTL_ENABLE.isSetIn(port.peek(RXDCTL))).isFalse();
    }

    private List<String> requests() {
        return firstWords().toList();
    }

    private Stream<String> firstWords() {
        return List.copyOf(port.requests).stream().map(request -> request.substring(0, 8));
    }

    private static void await(java.util.function.BooleanSupplier condition) {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("the deadline").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    /** Memory for the rings, and the port's registers. */
    private static final class Function implements PciFunction {

        private final MemoryFunction memory = new MemoryFunction(new PciId(0x8086, 0x10ca));
        private final FakePort port;
        private int vectors;
        private boolean closed;

        Function(FakePort port) {
            this.port = port;
        }

        @Override
        public PciAddress address() {
            return memory.address();
        }

        @Override
        public PciId id() {
            return memory.id();
        }

        @Override
        public ConfigSpace config() {
            return memory.config();
        }

        @Override
        public Bar bar(int number) {
            return port;
        }

        @Override
        public DmaSpace dma() {
            return memory.dma();
        }

        @Override
        public InterruptInfo interrupts() {
            return new InterruptInfo(0, 0, vectors);
        }

        @Override
        public List<EventFd> msix(int count) {
            return Stream.generate(() -> EventFd.create(Kernel.linux()))
                    .limit(count)
                    .toList();
        }

        @Override
        public boolean reset() {
            return false;
        }

        @Override
        public void close() {
            closed = true;
            memory.close();
        }
    }
}
