/** The drivers alone, by JMH, with a device that costs nothing. */
package io.doorbell.bench.driver;
