/** Whom Doorbell is compared with, and the other ends that count: programs that this one starts. */
package io.doorbell.bench.peer;
