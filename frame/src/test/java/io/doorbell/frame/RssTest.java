package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RssTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8, 100, 200})
    void givesEachQueueAboutAsManyEntries(int queues) {
        int[] table = Rss.over(queues).table();
        assertThat(Integer.bitCount(table.length)).isEqualTo(1);
        long[] entries = new long[queues];
        for (int queue : table) {
            entries[queue]++;
        }
        long least = Arrays.stream(entries).min().orElseThrow();
        assertThat(least).isPositive();
        assertThat(Arrays.stream(entries).max().orElseThrow()).isLessThanOrEqualTo(least + 1);
    }

    @Test
    void choosesTheQueueByTheLowerBitsOfTheHash() {
        Rss rss = Rss.over(4).withTable(3, 1, 0, 2);
        assertThat(rss.queue(0x1234_5670)).isEqualTo(3);
        assertThat(rss.queue(0xffff_ffff)).isEqualTo(2);
    }

    @Test
    void isNotChangedByWhatItsArraysAreUsedFor() {
        int[] table = {0, 1};
        byte[] key = {1, 2, 3};
        Rss rss = Rss.over(2).withTable(table).withKey(key);
        table[0] = 7;
        key[0] = 7;
        rss.table()[1] = 7;
        rss.key()[1] = 7;
        assertThat(rss).isEqualTo(Rss.over(2).withTable(0, 1).withKey(new byte[] {1, 2, 3}));
    }

    @Test
    void keepsItsKeyToItself() {
        Rss rss = Rss.over(2).withHashes(Set.of(RssHash.UDP4, RssHash.IPV4));
        assertThat(rss).hasToString("[IPV4, UDP4] over 2 queues by a table of 128");
        assertThat(rss.withHashes(Set.of())).hasToString("[] over 2 queues by a table of 128");
    }

    @Test
    void refusesTablesAndKeysThatNoDeviceTakes() {
        assertThatThrownBy(() -> Rss.over(0))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("not 0");
        assertThatThrownBy(() -> Rss.over(65_537))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("65537");
        assertThatThrownBy(() -> Rss.over(Integer.MAX_VALUE)).isInstanceOf(DoorbellException.class);
        assertThatThrownBy(() -> Rss.over(2).withTable(0, Integer.MAX_VALUE))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("no queue 2147483647");
        assertThatThrownBy(() -> Rss.over(2).withTable())
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("not 0");
        assertThatThrownBy(() -> Rss.over(2).withTable(0, 1, 0))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("power of two of entries, not 3");
        assertThatThrownBy(() -> Rss.over(2).withTable(0, -1))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("no queue -1");
        assertThatThrownBy(() -> Rss.over(2).withKey())
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("at least one byte");
    }
}
