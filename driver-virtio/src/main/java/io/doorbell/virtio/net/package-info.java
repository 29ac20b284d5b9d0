/** The network device (5.1): what is agreed on with it, its queues and its commands, put together to a NIC. */
package io.doorbell.virtio.net;
