/** The seam to the operating system; for Doorbell's own modules, not for applications. */
package io.doorbell.dma.kernel;
