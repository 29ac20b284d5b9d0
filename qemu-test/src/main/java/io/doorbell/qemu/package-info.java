/** The lab: QEMU's own NIC models, driven from JUnit over qtest or from a guest. */
package io.doorbell.qemu;
