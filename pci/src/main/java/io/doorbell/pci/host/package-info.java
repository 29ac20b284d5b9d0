/** Small questions to the host: files that may vanish, processes that hold a device. */
package io.doorbell.pci.host;
