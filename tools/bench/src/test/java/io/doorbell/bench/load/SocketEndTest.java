package io.doorbell.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.bench.load.SocketEnd.Count;
import org.junit.jupiter.api.Test;

class SocketEndTest {

    @Test
    void readsTheCountsThatItWrites() {
        Count count = new Count(12, 345, 6789);

        assertThat(Count.parse(count.toString())).isEqualTo(count);
    }

    @Test
    void addsUpWhatWindowsHaveShown() {
        Count first = new Count(110, 2100, 3000).minus(new Count(10, 100, 1000));
        Count sum = Count.NONE.plus(first).plus(new Count(100, 1000, 6000));

        assertThat(first).isEqualTo(new Count(100, 2000, 2000));
        assertThat(sum).isEqualTo(new Count(200, 3000, 8000));
        assertThat(sum.bytes()).isEqualTo(40);
    }
}
