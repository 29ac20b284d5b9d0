/** Simulated devices, for NICs that an application's loop is warmed up with. */
package io.doorbell.virtio.warmup;
