/**
 * The device's end of a vhost-user socket: it serves the rings of a driver in another process, which it does not
 * trust.
 */
package io.doorbell.virtio.vhost.backend;
