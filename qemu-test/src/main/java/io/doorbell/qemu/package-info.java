/** The lab: what QEMU is run and talked to with. */
package io.doorbell.qemu;
