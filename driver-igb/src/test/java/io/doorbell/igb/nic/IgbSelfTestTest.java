package io.doorbell.igb.nic;

import static io.doorbell.igb.spec.IgbRegisters.EERD;
import static io.doorbell.igb.spec.IgbRegisters.ICS;
import static io.doorbell.igb.spec.IgbRegisters.IMS;
import static io.doorbell.igb.spec.IgbRegisters.MDIC;
import static io.doorbell.igb.spec.IgbRegisters.MTA;
import static io.doorbell.igb.spec.IgbRegisters.STATUS;
import static io.doorbell.igb.spec.IgbRegisters.SWSM;
import static io.doorbell.igb.spec.IgbRegisters.SW_FW_SYNC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.ability.SelfTest;
import io.doorbell.frame.ability.SelfTestResult;
import io.doorbell.frame.ability.SelfTestResult.Outcome;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciFunction;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** QEMU's igb, which is sound; and one that lies, in one way for each way to fail. */
@Tag("qtest")
class IgbSelfTestTest {

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final MacAddress OTHER = MacAddress.parse("02:00:00:00:00:07");
    private static final MacAddress PEER = MacAddress.parse("52:54:00:65:43:21");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int LSC = 1 << 2;

    private final QtestMachine machine =
            QtestMachine.builder().nic("igb", "mac=" + MAC).virtualTime().start();

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    private static IgbNic open(PciFunction function) {
        IgbNic nic = IgbNic.open("0000:00:04.0", function, IgbModel.I82576, NicConfig.defaults());
        nic.awaitLink(PATIENCE);
        return nic;
    }

    private static byte[] frame(MacAddress to, MacAddress from) {
        byte[] bytes = new byte[100];
        for (int i = 0; i < 6; i++) {
            bytes[i] = (byte) to.octet(i);
            bytes[6 + i] = (byte) from.octet(i);
        }
        return bytes;
    }

    /** Frames go both ways. */
    private void works(IgbNic nic) {
        nic.awaitLink(PATIENCE);
        FrameBatch batch = new FrameBatch(1);
        machine.peer(0).send(frame(MAC, PEER));
        assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) == 1, PATIENCE))
                .isTrue();
        assertThat(batch.frame(0).toByteArray()).isEqualTo(frame(MAC, PEER));
        batch.frame(0).copyFrom(frame(PEER, MAC));
        assertThat(nic.txQueue(0).send(batch)).isEqualTo(1);
        assertThat(machine.peer(0).receive(PATIENCE)).isEqualTo(frame(PEER, MAC));
    }

    private static SelfTestResult result(List<SelfTestResult> results, String test) {
        return results.stream()
                .filter(result -> result.test().equals(test))
                .findFirst()
                .orElseThrow();
    }

    /** One test fails, and no other, and the NIC works before and after. */
    private void fails(PciFunction function, String test, String... details) {
        try (IgbNic nic = open(function)) {
            List<SelfTestResult> results = nic.ability(SelfTest.class).offline();
            assertThat(results)
                    .filteredOn(result -> result.outcome() != Outcome.PASSED)
                    .singleElement()
                    .satisfies(failed -> {
                        assertThat(failed.test()).isEqualTo(test);
                        assertThat(failed.outcome()).isEqualTo(Outcome.FAILED);
                        assertThat(failed.detail()).contains(details);
                    });
            works(nic);
        }
    }

    @Test
    void findsNothingWrongAndLeavesTheNicAsItWas() {
        try (IgbNic nic = open(machine.open(0))) {
            nic.ability(MacFilter.class).addresses(Set.of(OTHER));
            works(nic);
            NicStatistics before = nic.statistics();
            int free = nic.pool().available();
            for (int time = 0; time < 2; time++) {
                List<SelfTestResult> results = nic.ability(SelfTest.class).offline();
                assertThat(results)
                        .extracting(SelfTestResult::test)
                        .containsExactly("registers", "nvm", "interrupts", "loopback", "link");
                assertThat(results)
                        .allSatisfy(result -> assertThat(result.outcome())
                                .as(result.toString())
                                .isEqualTo(Outcome.PASSED));
                assertThat(result(results, "registers").detail()).matches("\\d+ registers hold .*");
                assertThat(result(results, "interrupts").detail())
                        .isEqualTo(Integer.bitCount(0x77D4FBFD) + " causes show in ICR, and interrupt when they may");
                assertThat(result(results, "loopback").detail()).startsWith("7 frames of 60 to 1514 bytes came back");
                assertThat(result(results, "link").detail()).isEqualTo("up, 1000 Mb/s, full duplex");
            }
            assertThat(nic.statistics().txFrames())
                    .as("the tests' own are not counted")
                    .isEqualTo(before.txFrames());
            assertThat(nic.statistics().rxFrames()).isEqualTo(before.rxFrames());
            assertThat(machine.peer(0).receiveIfAny(Duration.ZERO))
                    .as("nothing got out")
                    .isEmpty();
            assertThat(nic.pool().available()).isGreaterThanOrEqualTo(free);
            works(nic);
            machine.peer(0).send(frame(OTHER, PEER));
            FrameBatch batch = new FrameBatch(1);
            assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) == 1, PATIENCE))
                    .as("the filter is as it was")
                    .isTrue();
            batch.release();
        }
    }

    @Test
    void leavesANicThatIsStoppedStopped() {
        try (IgbNic nic = open(machine.open(0))) {
            nic.stop();
            List<SelfTestResult> results = nic.ability(SelfTest.class).offline();
            SelfTestResult link = result(results, "link");
            assertThat(link.outcome()).isEqualTo(Outcome.SKIPPED);
            assertThat(link.detail()).contains("is stopped");
            assertThat(results)
                    .filteredOn(result -> result.outcome() == Outcome.PASSED)
                    .hasSize(4);
            assertThat(nic.linkState().up()).isFalse();
            nic.start();
            works(nic);
        }
    }

    @Test
    void touchesNothingButNvmAndPhyWhileOnline() {
        Set<Integer> written = ConcurrentHashMap.newKeySet();
        AtomicBoolean watch = new AtomicBoolean();
        LyingFunction function = new LyingFunction(machine.open(0)) {
            @Override
            protected OptionalInt writes(int offset, int value) {
                if (watch.get()) {
                    written.add(offset);
                }
                return OptionalInt.of(value);
            }
        };
        try (IgbNic nic = open(function)) {
            watch.set(true);
            List<SelfTestResult> results = nic.ability(SelfTest.class).online();
            watch.set(false);
            assertThat(results)
                    .extracting(SelfTestResult::test)
                    .containsExactly("registers", "nvm", "interrupts", "loopback", "link");
            assertThat(results)
                    .extracting(SelfTestResult::outcome)
                    .containsExactly(Outcome.SKIPPED, Outcome.PASSED, Outcome.SKIPPED, Outcome.SKIPPED, Outcome.PASSED);
            assertThat(written).contains(EERD.offset());
            assertThat(written).isSubsetOf(EERD.offset(), SWSM.offset(), SW_FW_SYNC.offset(), MDIC.offset());
            works(nic);
        }
    }

    @Test
    void letsThreadsPollMeanwhile() throws Exception {
        try (IgbNic nic = open(machine.open(0))) {
            AtomicBoolean stop = new AtomicBoolean();
            FrameBatch batch = new FrameBatch(4);
            CompletableFuture<Integer> polls = new CompletableFuture<>();
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    int frames = 0;
                    while (!stop.get()) {
                        frames += nic.rxQueue(0).receive(batch);
                        batch.release();
                        Thread.sleep(1);
                    }
                    polls.complete(frames);
                } catch (Throwable e) {
                    polls.completeExceptionally(e);
                }
            });
            assertThat(nic.ability(SelfTest.class).offline()).allMatch(result -> result.outcome() == Outcome.PASSED);
            stop.set(true);
            assertThat(polls.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as("frames of the tests that the application saw")
                    .isZero();
            works(nic);
        }
    }

    @Test
    void findsARegisterThatDoesNotHoldWhatIsWritten() {
        fails(
                new LyingFunction(machine.open(0)) {
                    @Override
                    protected int reads(int offset, int value) {
                        return offset == MTA.at(77) ? value & ~0x200 : value;
                    }
                },
                "registers",
                "MTA[77] (0x05334) reads 0x5a5a585a after 0x5a5a5a5a was written",
                "these differ: 0x00000200");
    }

    @Test
    void findsANvmThatIsDamaged() {
        LyingFunction damaged = new LyingFunction(machine.open(0)) {
            @Override
            protected int reads(int offset, int value) {
                return offset == EERD.offset() && (value >>> 2 & 0x3FFF) == 0x12 ? value ^ 0x00400000 : value;
            }
        };
        fails(damaged, "nvm", "the checksum of all ports is wrong: words 0x00 to 0x3f add up to 0x", "not to 0xbaba");
    }

    @Test
    void findsANvmThatIsNeverRead() {
        LyingFunction busy = new LyingFunction(machine.open(0)) {
            @Override
            protected int reads(int offset, int value) {
                return offset == EERD.offset() ? value & ~2 : value;
            }
        };
        fails(busy, "nvm", "word 0x0 of the NVM of 0000:00:04.0", "DONE (bit 1) is clear");
    }

    @Test
    void findsACauseThatDoesNotShow() {
        LyingFunction deaf = new LyingFunction(machine.open(0)) {
            @Override
            protected OptionalInt writes(int offset, int value) {
                return offset == ICS.offset() ? OptionalInt.of(value & ~LSC) : OptionalInt.of(value);
            }
        };
        fails(deaf, "interrupts", "cause 0x00000004, set through ICS and masked, does not show: ICR=0x");
    }

    @Test
    void findsACauseThatDoesNotInterrupt() {
        LyingFunction mute = new LyingFunction(machine.open(0)) {
            @Override
            protected OptionalInt writes(int offset, int value) {
                return offset == IMS.offset() ? OptionalInt.of(value & ~LSC) : OptionalInt.of(value);
            }
        };
        fails(mute, "interrupts", "cause 0x00000004 did not interrupt within 500 ms: IMS=0x00000000, EIMS=0x");
    }

    @Test
    void findsACauseThatInterruptsThoughItIsMasked() {
        LyingFunction loud = new LyingFunction(machine.open(0)) {
            @Override
            protected OptionalInt writes(int offset, int value) {
                if (offset == ICS.offset() && value == LSC) {
                    tell(IMS.offset(), LSC);
                }
                return OptionalInt.of(value);
            }
        };
        fails(loud, "interrupts", "cause 0x00000004 interrupted, though it was masked");
    }

    @Test
    void looksAtIcrAloneWhereThereIsNoVectorToSpare() {
        LyingFunction poor = new LyingFunction(machine.open(0)) {
            @Override
            public InterruptInfo interrupts() {
                return new InterruptInfo(1, 0, 2);
            }
        };
        try (IgbNic nic = open(poor)) {
            SelfTestResult result = result(nic.ability(SelfTest.class).offline(), "interrupts");
            assertThat(result.outcome()).isEqualTo(Outcome.PASSED);
            assertThat(result.detail()).contains("there is no MSI-X vector");
        }
    }

    /** Forgets to tell the PHY of the loopback. */
    private static final class Straight extends LyingFunction {
        private static final int PHY_WRITES_LOOPBACK = 1 << 26 | 1 << 21 | 1 << 14;

        Straight(PciFunction device) {
            super(device);
        }

        @Override
        protected OptionalInt writes(int offset, int value) {
            boolean loopback = offset == MDIC.offset() && (value & 0xFFFF4000) == PHY_WRITES_LOOPBACK;
            return OptionalInt.of(loopback ? value & ~(1 << 14) : value);
        }
    }

    @Test
    void findsAFrameThatDoesNotComeBack() {
        try (IgbNic nic = open(new Straight(machine.open(0)))) {
            SelfTestResult result = result(nic.ability(SelfTest.class).offline(), "loopback");
            assertThat(result.outcome()).isEqualTo(Outcome.FAILED);
            assertThat(result.detail())
                    .contains("a frame of 60 bytes did not come back within 1000 ms: TDH=1, TDT=1, RDH=0, RDT=");
            assertThat(machine.peer(0).receive(PATIENCE))
                    .as("which way it went")
                    .hasSize(60);
            works(nic);
        }
    }

    @Test
    void findsAFrameThatComesBackChanged() throws Exception {
        try (IgbNic nic = open(new Straight(machine.open(0)))) {
            CompletableFuture<List<SelfTestResult>> testing = new CompletableFuture<>();
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    testing.complete(nic.ability(SelfTest.class).offline());
                } catch (Throwable e) {
                    testing.completeExceptionally(e);
                }
            });
            byte[] frame = machine.peer(0).receive(PATIENCE);
            frame[41] ^= 1;
            machine.peer(0).send(frame);
            SelfTestResult result = result(testing.get(PATIENCE.toSeconds(), TimeUnit.SECONDS), "loopback");
            assertThat(result.outcome()).isEqualTo(Outcome.FAILED);
            assertThat(result.detail()).contains("a frame of 60 bytes came back changed: byte 41 is 0x");
            works(nic);
        }
    }

    @Test
    void findsALinkThatIsDown() {
        try (IgbNic nic = open(machine.open(0))) {
            machine.setLink(0, false);
            assertThat(BoundedWait.until(() -> !nic.linkState().up(), PATIENCE)).isTrue();
            SelfTestResult result = result(nic.ability(SelfTest.class).online(), "link");
            assertThat(result.outcome()).isEqualTo(Outcome.FAILED);
            assertThat(result.detail())
                    .startsWith("no link within 5 s: STATUS=0x")
                    .contains("PHY BMSR=0x")
                    .contains("cable");
        }
    }

    @Test
    void saysThatTheDeviceIsGone() {
        AtomicBoolean pulled = new AtomicBoolean();
        LyingFunction function = new LyingFunction(machine.open(0)) {
            @Override
            protected int reads(int offset, int value) {
                // In the middle of the tests.
                pulled.compareAndSet(false, offset == MTA.at(5));
                return pulled.get() ? -1 : value;
            }

            @Override
            protected OptionalInt writes(int offset, int value) {
                return pulled.get() ? OptionalInt.empty() : OptionalInt.of(value);
            }
        };
        IgbNic nic = open(function);
        assertThatThrownBy(() -> nic.ability(SelfTest.class).offline())
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("0000:00:04.0 does not answer");
        assertThat(Optional.of(function.read32(STATUS.offset()))).contains(-1);
        nic.close();
    }
}
