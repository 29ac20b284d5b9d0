/** Releasing several things although one of them fails. For Doorbell's own modules. */
package io.doorbell.dma.cleanup;
