/** {@code nicctl demo}: both ends of its exchanges, in a virtual machine or in two processes. */
package io.doorbell.tools.demo;
