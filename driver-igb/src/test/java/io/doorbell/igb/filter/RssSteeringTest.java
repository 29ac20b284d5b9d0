package io.doorbell.igb.filter;

import static io.doorbell.igb.spec.IgbRegisters.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Rss;
import io.doorbell.frame.RssHash;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is written where; what it does, {@code IgbQueuesTest} shows. */
class RssSteeringTest {

    private final RecordingBar bar = new RecordingBar();

    private RssSteering steering(int queues, Rss asked) {
        return new RssSteering(new RegisterFile("test", bar), queues, Optional.ofNullable(asked));
    }

    @Test
    void hashesNothingForOneQueueUnlessAsked() {
        RssSteering off = steering(1, null);
        assertThat(off.hashes()).isFalse();
        off.apply();
        assertThat(bar.peek(MRQC)).isZero();
        assertThat(bar.peek(RXCSUM)).isZero();
        assertThat(steering(1, Rss.over(1)).hashes()).isTrue();
        assertThat(steering(2, null).hashes()).isTrue();
    }

    @Test
    void writesTheKeyInTheOrderOfItsBytes() {
        byte[] key = new byte[40];
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) (0x81 + i);
        }
        steering(2, Rss.over(2).withKey(key)).apply();
        assertThat(bar.read32(RSSRK.at(0))).isEqualTo(0x84838281);
        assertThat(bar.read32(RSSRK.at(9))).isEqualTo(0xa8a7a6a5);
    }

    @Test
    void writesASmallTableAsOftenAsItFits() {
        steering(16, Rss.over(16).withTable(0, 15, 3, 7, 1, 1, 1, 1)).apply();
        assertThat(bar.read32(RETA.at(0))).isEqualTo(0x07030f00);
        assertThat(bar.read32(RETA.at(1))).isEqualTo(0x01010101);
        assertThat(bar.read32(RETA.at(30))).isEqualTo(0x07030f00);
        assertThat(bar.read32(RETA.at(31))).isEqualTo(0x01010101);
    }

    @Test
    void choosesTheFieldsThatAreHashed() {
        RssSteering steering = steering(2, Rss.over(2).withHashes(EnumSet.allOf(RssHash.class)));
        steering.apply();
        assertThat(bar.peek(MRQC)).isEqualTo(2 | 0x1ff << 16);
        assertThat(RXCSUM_PCSD.isSetIn(bar.peek(RXCSUM))).isTrue();
        steering.rss(Rss.over(2).withHashes(Set.of(RssHash.TCP4)));
        steering.apply();
        assertThat(bar.peek(MRQC)).isEqualTo(2 | 1 << 16);
    }

    @Test
    void refusesWhatTheDeviceCannotDoAndGoesOnAsBefore() {
        RssSteering steering = steering(4, null);
        Rss before = steering.rss();
        assertThatThrownBy(() -> steering.rss(Rss.over(4).withKey(new byte[52])))
                .isInstanceOf(DoorbellException.class)
                .hasMessage("test: the device cannot spread frames by a key of 52 bytes; it has 40");
        assertThatThrownBy(() -> steering.rss(Rss.over(4).withTable(new int[256])))
                .hasMessageContaining("a table of 256 entries; it has 128");
        assertThatThrownBy(() -> steering.rss(Rss.over(5)))
                .hasMessageContaining("queue 4; there are 0 to 3")
                .hasMessageContaining("NicConfig.withQueues");
        assertThatThrownBy(() -> steering(4, Rss.over(5))).isInstanceOf(DoorbellException.class);
        assertThat(steering.rss()).isEqualTo(before);
    }
}
