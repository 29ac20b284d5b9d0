package io.doorbell.virtio.transport;

import io.doorbell.pci.Bar;
import io.doorbell.virtio.spec.Doorbell;

/** A queue's notification address, to which its number is written (4.1.5.2). */
public record PciDoorbell(Bar bar, long offset, int queue) implements Doorbell {

    @Override
    public void ring() {
        bar.write16(offset, queue);
    }
}
