/** Finds and opens NICs of the igb family: Intel 82576, 82580 and their register-compatible relatives. */
package io.doorbell.igb;
