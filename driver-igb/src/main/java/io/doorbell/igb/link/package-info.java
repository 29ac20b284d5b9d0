/** The link behind the MAC: the PHY, and the semaphores that guard it from firmware and the other ports. */
package io.doorbell.igb.link;
