/** What all of Doorbell reports failures by. */
package io.doorbell;
