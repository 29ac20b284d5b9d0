package io.doorbell.bench.peer;

import io.doorbell.DoorbellException;
import io.doorbell.bench.workload.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** DPDK's virtio-user, by each of its ways through a ring. */
public enum VhostPeer {
    SPLIT(false, "DPDK, default", "", "using inorder Rx path", "using inorder Tx path"),
    SPLIT_VECTOR(
            false,
            "DPDK, vectorised",
            ",vectorized=1,mrg_rxbuf=0,in_order=0",
            "using vectorized Rx path",
            "using standard Tx path"),
    PACKED(
            true,
            "DPDK, default",
            ",packed_vq=1",
            "using packed ring (mergeable buffer|standard) Rx path",
            "using packed ring standard Tx path"),
    PACKED_AVX512(
            true,
            "DPDK, AVX-512",
            ",packed_vq=1,vectorized=1,mrg_rxbuf=0,in_order=1",
            "using packed ring vectorized Rx path",
            "using packed ring vectorized Tx path");

    public final boolean packed;
    public final String title;
    private final String parameters;
    private final String rxPath;
    private final String txPath;

    VhostPeer(boolean packed, String title, String parameters, String rxPath, String txPath) {
        this.packed = packed;
        this.title = title;
        this.parameters = parameters;
        this.rxPath = rxPath;
        this.txPath = txPath;
    }

    /** Whether this machine's processor can do it. */
    public boolean isPossible() {
        try {
            return this != PACKED_AVX512
                    || Files.readString(Path.of("/proc/cpuinfo")).contains("avx512bw");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Connects to a back-end and starts to move frames.
     *
     * @throws DoorbellException when DPDK went another way than this one
     */
    public Testpmd start(int core, Path socket, int queueSize, String engine, boolean hugePages) {
        return start(core, socket, queueSize, engine, hugePages, Shape.USUAL);
    }

    /** The same, used in another way. */
    public Testpmd start(int core, Path socket, int queueSize, String engine, boolean hugePages, Shape shape) {
        String port = "net_virtio_user0,path=" + socket + ",queue_size=" + queueSize + parameters;
        if (shape.queues() > 1) {
            port += ",queues=" + shape.queues() + ",cq=1"; // it turns queues on and off by its control queue
        }
        // DPDK stays below that by itself: such wide words slow some processors down.
        List<String> options = this == PACKED_AVX512 ? List.of("--force-max-simd-bitwidth=512") : List.of();
        Testpmd testpmd = Testpmd.start(core, port, engine, hugePages, options, shape.testpmd());
        try {
            testpmd.requirePrinted(rxPath, "then it is not what is to be compared with");
            testpmd.requirePrinted(txPath, "then it is not what is to be compared with");
            testpmd.command("start");
            return testpmd;
        } catch (RuntimeException e) {
            testpmd.close();
            throw e;
        }
    }
}
