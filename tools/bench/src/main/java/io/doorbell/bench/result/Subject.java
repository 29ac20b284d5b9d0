package io.doorbell.bench.result;

/**
 * What is compared.
 *
 * @param scenario such as {@code vhost-user receive}
 * @param ring the descriptor ring, such as {@code split}; empty where there is none
 * @param peer whom Doorbell is compared with; {@link #NOBODY} where the figure stands for itself
 * @param unit of what is measured, such as {@code Mframes/s}
 * @param moreIsBetter false for times
 * @param workload what both sides do, in words
 */
public record Subject(String scenario, String ring, String peer, String unit, boolean moreIsBetter, String workload) {
    public static final String NOBODY = "none";

    /** Whether there is a peer. */
    boolean compares() {
        return !peer.equals(NOBODY);
    }
}
