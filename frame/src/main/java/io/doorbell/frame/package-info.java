/** The frame API: NICs, queues, batches and frame buffers; knows no bus and no device. */
package io.doorbell.frame;
