/** The virtual machine of {@code nicctl lab} and {@code nicctl demo}, and its NICs. */
package io.doorbell.tools.lab;
