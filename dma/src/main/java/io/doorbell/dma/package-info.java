/** Memory that a device can reach: pinned regions, their device addresses, and the system-call seam. */
package io.doorbell.dma;
