/** Releasing several things although one of them fails. For Doorbell's own modules. */
@NullMarked
package io.doorbell.dma.cleanup;

import org.jspecify.annotations.NullMarked;
