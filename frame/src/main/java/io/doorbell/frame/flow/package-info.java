/** Rules that put frames into receive queues, as values: {@link io.doorbell.frame.ability.FlowRules}. */
package io.doorbell.frame.flow;
