/**
 * Benchmarks that compare: each figure is a ratio of Doorbell to a peer, from one run in which the two took turns.
 *
 * <p>To add one, implement {@link io.doorbell.tools.bench.Scenario} and name it in
 * {@link io.doorbell.tools.bench.Scenarios}.
 */
package io.doorbell.tools.bench;
