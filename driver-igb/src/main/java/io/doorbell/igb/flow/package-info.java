/** Filters that put frames into a queue by rule. */
package io.doorbell.igb.flow;
