/** Figures, how pairs of them are taken, and how they are shown. */
package io.doorbell.bench.result;
