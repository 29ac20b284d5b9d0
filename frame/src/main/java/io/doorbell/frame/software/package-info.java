/** In software, what a NIC does not do for the frames that it sends: checksums, segmentation, VLAN tags. */
package io.doorbell.frame.software;
