/** The other end of the wire: frames that tests send and check, and the host's own network stack. */
package io.doorbell.qemu.link;
