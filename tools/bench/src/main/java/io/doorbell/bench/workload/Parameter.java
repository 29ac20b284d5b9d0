package io.doorbell.bench.workload;

import java.util.List;

/** What {@code ScaleScenario} varies; all else is {@linkplain Shape#USUAL as usual}. */
public enum Parameter {
    QUEUES(
            "pairs of queues",
            "64-byte frames, batches of 32, so many pairs of queues; one thread polls all of them in turn (testpmd: --rxq,"
                    + " --txq)") {
        @Override
        public List<Integer> points() {
            return List.of(1, 2);
        }

        @Override
        public Shape shape(int value) {
            return Shape.USUAL.withQueues(value);
        }

        @Override
        public String describe(int value) {
            return value + (value == 1 ? " queue" : " queues");
        }
    },

    POOL(
            "buffers in the pool",
            "64-byte frames, batches of 32, buffers of a pool of so many, to which each goes back (testpmd:"
                    + " --total-num-mbufs). Doorbell's pool is a stack: what came back last goes out next. DPDK's is a"
                    + " queue, with a stack of 250 for each core in front. So a large pool need not cost misses of the"
                    + " cache") {
        @Override
        public List<Integer> points() {
            return List.of(1 << 10, 1 << 12, 1 << 14, 1 << 16);
        }

        @Override
        public Shape shape(int value) {
            return Shape.USUAL.withBuffers(value);
        }

        @Override
        public String describe(int value) {
            return tick(value) + " buffers";
        }

        @Override
        public String tick(int value) {
            return value / (1 << 10) + " K";
        }
    },

    BATCH(
            "frames in a batch, at most",
            "64-byte frames, batches of up to so many (testpmd: --burst), of up to 32 at the other end") {
        @Override
        public List<Integer> points() {
            return List.of(1, 4, 8, 16, 32, 64, 128);
        }

        @Override
        public Shape shape(int value) {
            return Shape.USUAL.withBatch(value);
        }

        @Override
        public String describe(int value) {
            return "batch " + value;
        }
    },

    SIZE(
            "bytes in a frame",
            "frames of so many bytes, batches of 32; a frame is in one buffer (testpmd: --mbuf-size)") {
        @Override
        public List<Integer> points() {
            return List.of(64, 128, 256, 512, 1024, 1518, 4096, 9000);
        }

        @Override
        public Shape shape(int value) {
            return Shape.USUAL.withLength(value);
        }

        @Override
        public String describe(int value) {
            return value + " bytes";
        }
    };

    /** What it is, with the unit. */
    public final String label;
    /** What both sides do. */
    public final String workload;

    Parameter(String label, String workload) {
        this.label = label;
        this.workload = workload;
    }

    /** The values to measure, the smallest first. */
    public abstract List<Integer> points();

    /** How a NIC is used with a value. */
    public abstract Shape shape(int value);

    /** The value in words, such as {@code 2 queues}. */
    public abstract String describe(int value);

    /** The value alone. */
    public String tick(int value) {
        return String.valueOf(value);
    }
}
