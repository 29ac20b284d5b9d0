/** The vhost-user protocol, as both of its ends speak it. */
package io.doorbell.virtio.vhost;
