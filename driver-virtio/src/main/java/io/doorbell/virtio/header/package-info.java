/** The header in front of each frame (5.1.6): written for those that are sent, read from those that arrive. */
package io.doorbell.virtio.header;
