/** Parts of a function that the kernel shows as a file: its BARs and its configuration space. */
package io.doorbell.pci.region;
