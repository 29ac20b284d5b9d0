/** Programs of JVMs of their own, which move frames: ends of a path, and who measures them. */
package io.doorbell.bench.load;
