/** What is done to frames, and how many of what there are meanwhile. */
package io.doorbell.bench.workload;
