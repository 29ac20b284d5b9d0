package io.doorbell.virtio.transport;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.NicRemovedException;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.pci.Bar;
import io.doorbell.pci.PciFunction;
import io.doorbell.virtio.spec.DeviceStatus;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.QueueAddresses;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * A PCI device by its legacy interface: a header of registers in the I/O ports of BAR 0 (4.1.4.10), which a transitional
 * device has beside the modern structures, and a legacy device has alone. Interrupts stay unused: MSI-X is off, and so
 * the device's configuration follows at offset 20.
 */
public final class LegacyPciTransport implements VirtioTransport {

    private static final Duration RESET = Duration.ofSeconds(5);
    private static final String SECTION = "4.1.4.10";
    private static final int BAR = 0;

    private static final int DEVICE_FEATURES = 0;
    private static final int DRIVER_FEATURES = 4;
    private static final int QUEUE_ADDRESS = 8;
    private static final int QUEUE_SIZE = 12;
    private static final int QUEUE_SELECT = 14;
    private static final int QUEUE_NOTIFY = 16;
    private static final int DEVICE_STATUS = 18;
    private static final int ISR_STATUS = 19;
    private static final int CONFIG = 20;

    /** What the address of a queue is counted in; its used ring starts on a multiple too (2.7.2). */
    private static final int PAGE_SHIFT = 12;
    /** How far queues are looked for, as a legacy device does not say how many it has: as many as any PCI device can. */
    private static final int MOST_QUEUES = 1024;

    private static final int GONE = 0xff;

    private final PciFunction function;
    private final Bar bar;

    /**
     * Takes over {@code function}, which is closed with the transport.
     *
     * @throws DoorbellException when it has no such registers
     */
    public LegacyPciTransport(PciFunction function) {
        this.function = function;
        this.bar = function.bar(BAR);
        if (bar.size() < CONFIG) {
            throw new DoorbellException(function.address() + " (" + function.id() + ") has " + bar.size()
                    + " bytes in BAR 0, and the registers of a legacy virtio device take " + CONFIG
                    + ": it is no such device");
        }
    }

    @Override
    public String description() {
        return "legacy PCI";
    }

    @Override
    public DmaSpace dma() {
        return function.dma();
    }

    @Override
    public int status() {
        int status = bar.read8(DEVICE_STATUS) & 0xff;
        if (status == GONE) {
            throw new NicRemovedException(function.address()
                    + ": the device is gone: its registers read as all ones (it was unplugged, or its bus is down)");
        }
        return status;
    }

    @Override
    public void addStatus(int bits) {
        bar.write8(DEVICE_STATUS, status() | bits);
    }

    @Override
    public void reset() {
        bar.write8(DEVICE_STATUS, 0);
        BoundedWait.require(
                "the status of " + function.address() + " to become 0 after a reset",
                () -> status() == 0,
                RESET,
                () -> String.format("status=0x%02x", status()));
    }

    @Override
    public void allowDma(boolean allowed) {
        function.config().busMaster(allowed);
    }

    /** The first 32: those beyond are not for legacy drivers. */
    @Override
    public long deviceFeatures() {
        return Integer.toUnsignedLong(bar.read32(DEVICE_FEATURES));
    }

    @Override
    public void driverFeatures(long features) {
        bar.write32(DRIVER_FEATURES, (int) features);
    }

    @Override
    public boolean isModern() {
        return false;
    }

    @Override
    public int configSize() {
        return (int) Math.min(bar.size() - CONFIG, Integer.MAX_VALUE);
    }

    @Override
    public int config8(int offset) {
        return bar.read8(config(offset, 1)) & 0xff;
    }

    @Override
    public int config16(int offset) {
        return bar.read16(config(offset, 2)) & 0xffff;
    }

    @Override
    public int config32(int offset) {
        return bar.read32(config(offset, 4));
    }

    private long config(int offset, int width) {
        if (offset + width > configSize()) {
            throw new BrokenDeviceException(function.address() + ": the device has " + configSize()
                    + " bytes of configuration, and " + width + " at " + offset + " are needed");
        }
        return (long) CONFIG + offset;
    }

    @Override
    public int configGeneration() {
        return 0;
    }

    @Override
    public int queues() {
        int count = 0;
        while (count < MOST_QUEUES && queueMaxSize(count) > 0) {
            count++;
        }
        return count;
    }

    @Override
    public int queueMaxSize(int index) {
        bar.write16(QUEUE_SELECT, index);
        return bar.read16(QUEUE_SIZE) & 0xffff;
    }

    @Override
    public boolean queueSizeIsFixed() {
        return true;
    }

    /** The device is told of one address only, from which it counts out where the three parts are (2.7.2). */
    @Override
    public Doorbell enableQueue(int index, QueueAddresses queue) {
        long address = queue.descriptorArea();
        long page = address >>> PAGE_SHIFT;
        if (page << PAGE_SHIFT != address || page >>> 32 != 0) {
            throw new DoorbellException(String.format(
                    "%s: queue %d lies at 0x%x, and a legacy device takes addresses of whole pages below 16 TiB",
                    function.address(), index, address));
        }
        bar.write16(QUEUE_SELECT, index);
        bar.write32(QUEUE_ADDRESS, (int) page);
        return new PciDoorbell(bar, QUEUE_NOTIFY, index);
    }

    @Override
    public void resetQueue(int index) {
        throw new DoorbellException(function.address() + ": a legacy device cannot reset a single queue");
    }

    @Override
    public List<RegisterValue> registers() {
        List<RegisterValue> values = new ArrayList<>();
        int features = bar.read32(DEVICE_FEATURES);
        values.add(value("device_features", DEVICE_FEATURES, features, Feature.describe(features & 0xffff_ffffL)));
        int accepted = bar.read32(DRIVER_FEATURES);
        values.add(value("driver_features", DRIVER_FEATURES, accepted, Feature.describe(accepted & 0xffff_ffffL)));
        int status = bar.read8(DEVICE_STATUS) & 0xff;
        values.add(value("device_status", DEVICE_STATUS, status, DeviceStatus.describe(status)));
        // Reading it would clear it (4.1.4.5).
        values.add(new RegisterValue("isr_status", ISR_STATUS, OptionalInt.empty(), SECTION, ""));
        int queues = queues();
        for (int queue = 0; queue < queues; queue++) {
            values.add(value("queue_size[" + queue + "]", QUEUE_SIZE, queueMaxSize(queue), ""));
            values.add(value("queue_address[" + queue + "]", QUEUE_ADDRESS, bar.read32(QUEUE_ADDRESS), ""));
        }
        return values;
    }

    private static RegisterValue value(String name, int offset, int value, String decoded) {
        return new RegisterValue(name, offset, OptionalInt.of(value), SECTION, decoded);
    }

    @Override
    public void onLoss(Consumer<String> listener) {
        function.onLoss(listener);
    }

    @Override
    public void close() {
        function.close();
    }
}
