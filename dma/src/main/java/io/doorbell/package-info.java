/** What all of Doorbell reports failures by. */
@NullMarked
package io.doorbell;

import org.jspecify.annotations.NullMarked;
