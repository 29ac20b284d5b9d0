/**
 * The two layouts of a virtqueue (2.7 split, 2.8 packed): the loops that receive and send, and the queues for
 * commands.
 */
package io.doorbell.virtio.queue;
