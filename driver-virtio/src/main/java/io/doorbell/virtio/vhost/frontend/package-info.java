/** The driver's end of a vhost-user socket: a transport whose device is another process, which may come and go. */
package io.doorbell.virtio.vhost.frontend;
