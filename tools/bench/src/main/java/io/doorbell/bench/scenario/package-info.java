/** What is measured: one class a scenario. */
package io.doorbell.bench.scenario;
