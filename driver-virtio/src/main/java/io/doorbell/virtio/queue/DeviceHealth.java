package io.doorbell.virtio.queue;

/** What a queue asks when it has polled in vain for long. */
public interface DeviceHealth {

    /**
     * Returns if the device works.
     *
     * @throws io.doorbell.frame.BrokenDeviceException when it has asked to be reset or is gone
     */
    void check();
}
