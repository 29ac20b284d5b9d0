/** What the virtio specification fixes: feature bits, the device status, and how numbers lie in memory. */
package io.doorbell.virtio.spec;
