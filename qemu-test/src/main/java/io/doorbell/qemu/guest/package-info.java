/** QEMU with a Linux guest that sees the host's own files, so that it runs what the host has. */
package io.doorbell.qemu.guest;
