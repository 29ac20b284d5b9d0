/** The machine that is measured on: cores, hugepages, interfaces, and JVMs of their own. */
package io.doorbell.bench.env;
