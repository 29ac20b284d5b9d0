/**
 * How a driver reaches a device and its queues (4): over PCI as the specification has it now, and as it had it before
 * 1.0.
 */
package io.doorbell.virtio.transport;
