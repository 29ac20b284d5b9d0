/**
 * virtio-net (Virtual I/O Device Version 1.3, the "specification" of all comments here): one NIC over two ring layouts
 * and over whatever transport brings the device.
 */
package io.doorbell.virtio;
