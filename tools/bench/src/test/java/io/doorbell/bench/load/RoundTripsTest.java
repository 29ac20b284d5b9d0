package io.doorbell.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RoundTripsTest {

    private static RoundTrips hundred() {
        RoundTrips trips = new RoundTrips();
        for (int i = 1; i <= 100; i++) {
            trips.sent(0);
            trips.received(0, i * 1000L);
        }
        return trips;
    }

    @Test
    void tellsHowLongThatManyPercentTookAtMost() {
        RoundTrips trips = hundred();

        assertThat(trips.percentile(50)).isCloseTo(50, within(0.1));
        assertThat(trips.percentile(99)).isCloseTo(99, within(0.1));
        assertThat(trips.longest()).isCloseTo(100, within(0.1));
        assertThat(trips.underway()).isZero();
    }

    @Test
    void countsFramesThatHaveNotComeBack() {
        RoundTrips trips = hundred();
        trips.sent(0);

        assertThat(trips.underway()).isEqualTo(1);
    }

    @Test
    void leavesOutFramesThatWereDueBeforeItBegan() {
        RoundTrips trips = new RoundTrips();
        trips.recordFrom(1000);
        trips.sent(999);
        trips.received(999, 1001);

        assertThat(trips.count()).isZero();
        assertThat(trips.underway()).isZero();
    }

    @Test
    void survivesBeingWrittenAndRead() {
        RoundTrips trips = hundred();
        trips.sent(0);
        RoundTrips read = RoundTrips.parse(trips.toString());

        assertThat(read.percentile(99)).isEqualTo(trips.percentile(99));
        assertThat(read.count()).isEqualTo(100);
        assertThat(read.underway()).isEqualTo(1);
    }

    @Test
    void addsUp() {
        RoundTrips sum = new RoundTrips();
        sum.add(hundred());
        sum.add(hundred());

        assertThat(sum.count()).isEqualTo(200);
        assertThat(sum.percentile(50)).isCloseTo(50, within(0.1));
    }
}
