package io.doorbell.virtio.spec;

/**
 * Where a device finds one of its queues (2.6), in its own addresses.
 *
 * @param size entries in the queue
 * @param descriptorArea descriptor table of a split ring; descriptor ring of a packed one
 * @param driverArea available ring; driver event suppression
 * @param deviceArea used ring; device event suppression
 */
public record QueueAddresses(int size, long descriptorArea, long driverArea, long deviceArea) {}
