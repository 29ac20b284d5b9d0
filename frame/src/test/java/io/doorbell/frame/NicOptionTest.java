package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NicOptionTest {

    private static final NicConfig CONFIG = NicConfig.defaults();

    @Test
    void isRefusedWhereTheDriverDoesNotKnowIt() {
        Candidate candidate = new Candidate(Set.of(NicOption.VLANS));
        for (NicConfig config : new NicConfig[] {CONFIG.withRss(Rss.over(1)), CONFIG.withoutFeatures("A")}) {
            assertThatThrownBy(() -> candidate.open(config))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("the driver of 0000:01:00.0 (fake, model X) does not support the option "
                            + config.options().iterator().next())
                    .hasMessageContaining("leave out NicConfig.with");
        }
        assertThat(candidate.opened).isNull();
    }

    @Test
    void reachesADriverThatKnowsIt() {
        Candidate candidate = new Candidate(Set.of(NicOption.VLANS));
        assertThatThrownBy(() -> candidate.open(CONFIG.withVlans(1, 2))).isInstanceOf(Taken.class);
        assertThat(candidate.opened.vlans()).contains(Set.of(1, 2));
        assertThat(candidate.opened.without(NicOption.VLANS).vlans()).isEmpty();
    }

    @Test
    void thatIsNoDemandReachesEveryDriver() {
        Candidate candidate = new Candidate(Set.of());
        NicConfig config = CONFIG.withReceiveOffloads(Offloads.MORE_SEGMENTS).withAnnouncements(true);
        assertThatThrownBy(() -> candidate.open(config)).isInstanceOf(Taken.class);
        assertThat(candidate.opened.receiveOffloads()).isEqualTo(Offloads.MORE_SEGMENTS);
        assertThat(candidate.opened.announcements()).isTrue();
    }

    @Test
    void isCheckedHoweverItIsSet() {
        assertThatThrownBy(() -> CONFIG.with(NicOption.VLANS, Set.of(4095)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("4095");
    }

    @Test
    void thatAsksForNothingIsNone() {
        assertThat(CONFIG.withoutFeatures("A").withoutFeatures(new String[0]).options())
                .isEmpty();
    }

    @Test
    void isKeptWhateverElseIsChanged() {
        NicConfig config = CONFIG.withVlans(7)
                .withRingSizes(64, 128)
                .withBufferSize(4096)
                .withPromiscuous(true)
                .withQueues(2)
                .withRss(Rss.over(2));
        assertThat(config.vlans()).contains(Set.of(7));
        assertThat(config.rss()).contains(Rss.over(2));
        assertThat(config.rxRingSize()).isEqualTo(64);
        assertThat(config.txRingSize()).isEqualTo(128);
        assertThat(config.bufferSize()).isEqualTo(4096);
        assertThat(config.promiscuous()).isTrue();
        assertThat(config.queues()).isEqualTo(2);
        assertThat(config.toString()).contains("VLANS", "RSS");
        assertThat(CONFIG.options()).isEmpty();
        assertThat(config).isNotEqualTo(config.without(NicOption.VLANS)).isEqualTo(config.withVlans(7));
    }

    /** Ends {@link Candidate#take}, which would have to return a NIC. */
    private static final class Taken extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static final class Candidate implements NicCandidate {

        private final Set<NicOption<?>> supported;
        private NicConfig opened;

        Candidate(Set<NicOption<?>> supported) {
            this.supported = supported;
        }

        @Override
        public String name() {
            return "0000:01:00.0";
        }

        @Override
        public String driver() {
            return "fake";
        }

        @Override
        public String model() {
            return "model X";
        }

        @Override
        public Set<NicOption<?>> supportedOptions() {
            return supported;
        }

        @Override
        public Nic take(NicConfig config) {
            opened = config;
            throw new Taken();
        }
    }
}
