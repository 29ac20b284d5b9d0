/**
 * {@code nicctl bench}: each figure is a ratio of Doorbell to a peer, from one run in which the two took turns. What is
 * measured is in {@link io.doorbell.bench.scenario}: to add one, implement a {@code Scenario} there and name it in
 * {@code Scenarios}.
 */
package io.doorbell.bench;
