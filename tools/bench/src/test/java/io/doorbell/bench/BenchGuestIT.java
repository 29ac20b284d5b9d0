package io.doorbell.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The scenario that boots a guest: a class of its own, so that it runs beside the others. */
@Tag("guest")
class BenchGuestIT {

    @Test
    void comparesDoorbellsIgbWithOthersInAVirtualMachine() {
        QuickBench.assumeDpdk();

        List<Map<String, Object>> rows = QuickBench.run("igb");

        assertThat(rows).extracting(row -> row.get("peer")).containsExactly("DPDK, igb", "kernel, AF_PACKET");
        assertThat(rows).allSatisfy(row -> {
            assertThat(row).containsEntry("ring", "igb").containsEntry("unit", "Mframes/s");
            assertThat((double) row.get("doorbell")).isPositive();
            assertThat((double) row.get("other")).isPositive();
            assertThat((double) row.get("bytes/frame")).isNotNegative();
        });
    }
}
