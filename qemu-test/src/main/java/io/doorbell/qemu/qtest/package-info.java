/** QEMU with a NIC and no guest: what a driver does to a device goes to it over the qtest protocol, and memory is shared. */
package io.doorbell.qemu.qtest;
