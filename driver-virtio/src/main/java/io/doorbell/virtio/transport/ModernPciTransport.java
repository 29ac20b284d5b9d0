package io.doorbell.virtio.transport;

import static io.doorbell.virtio.transport.CommonField.*;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.NicRemovedException;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.pci.Bar;
import io.doorbell.pci.PciFunction;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.QueueAddresses;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A PCI device with the structures of 4.1.4, of a modern or a transitional device. */
public final class ModernPciTransport implements VirtioTransport {

    private static final Duration RESET = Duration.ofSeconds(5);
    /** No interrupt, please (4.1.5.1.2). */
    private static final int NO_VECTOR = 0xffff;

    private static final int CONFIGURATION_VECTOR = 0;
    private static final int FIRST_VECTOR = 1;

    private static final int GONE = 0xff;

    private final PciFunction function;
    private final CommonConfig common;
    private final Bar notifyBar;
    private final long notifyBase;
    private final long notifyLength;
    private final long notifyMultiplier;
    private final @Nullable VirtioCapability isr;
    private final @Nullable VirtioCapability device;
    /** By vector; empty while nobody wants to sleep. Read by any thread. */
    private volatile List<EventFd> events = List.of();

    /**
     * Takes over {@code function}, which is closed with the transport.
     *
     * @throws DoorbellException when it has not the structures of a modern device, or not within its BARs
     */
    public ModernPciTransport(PciFunction function) {
        this.function = function;
        VirtioCapability where =
                VirtioCapability.require(function, VirtioCapability.COMMON, "common configuration", SIZE);
        this.common = new CommonConfig(where.bar(function), where.offset(), where.length());
        VirtioCapability notify = VirtioCapability.require(function, VirtioCapability.NOTIFY, "notifications", 2);
        this.notifyBar = notify.bar(function);
        this.notifyBase = notify.offset();
        this.notifyLength = notify.length();
        this.notifyMultiplier = notify.notifyMultiplier(function);
        this.isr = VirtioCapability.find(function, VirtioCapability.ISR, 1).orElse(null);
        this.device =
                VirtioCapability.find(function, VirtioCapability.DEVICE, 1).orElse(null);
    }

    @Override
    public String description() {
        return "modern PCI";
    }

    @Override
    public DmaSpace dma() {
        return function.dma();
    }

    @Override
    public int status() {
        int status = common.read(DEVICE_STATUS);
        if (status == GONE) {
            throw new NicRemovedException(function.address()
                    + ": the device is gone: its registers read as all ones (it was unplugged, or its bus is down)");
        }
        return status;
    }

    @Override
    public void addStatus(int bits) {
        common.write(DEVICE_STATUS, status() | bits);
    }

    @Override
    public void reset() {
        common.write(DEVICE_STATUS, 0);
        // The device is done when it says 0 (4.1.4.3.2).
        BoundedWait.require(
                "device_status of " + function.address() + " to become 0 after a reset",
                () -> status() == 0,
                RESET,
                () -> String.format("device_status=0x%02x", status()));
    }

    @Override
    public void allowDma(boolean allowed) {
        function.config().busMaster(allowed);
    }

    @Override
    public long deviceFeatures() {
        return common.readFeatures(DEVICE_FEATURE_SELECT, DEVICE_FEATURE);
    }

    @Override
    public void driverFeatures(long features) {
        common.writeFeatures(DRIVER_FEATURE_SELECT, DRIVER_FEATURE, features);
    }

    @Override
    public boolean isModern() {
        return true;
    }

    @Override
    public int configSize() {
        return device == null ? 0 : (int) Math.min(device.length(), Integer.MAX_VALUE);
    }

    @Override
    public int config8(int offset) {
        VirtioCapability config = config(offset, 1);
        return config.bar(function).read8(config.offset() + offset) & 0xff;
    }

    @Override
    public int config16(int offset) {
        VirtioCapability config = config(offset, 2);
        return config.bar(function).read16(config.offset() + offset) & 0xffff;
    }

    @Override
    public int config32(int offset) {
        VirtioCapability config = config(offset, 4);
        return config.bar(function).read32(config.offset() + offset);
    }

    private VirtioCapability config(int offset, int width) {
        if (device == null || offset + width > device.length()) {
            throw new BrokenDeviceException(function.address() + ": the device has " + configSize()
                    + " bytes of device configuration, and offers a feature with a field at " + offset);
        }
        return device;
    }

    @Override
    public int configGeneration() {
        return common.read(CONFIG_GENERATION);
    }

    @Override
    public int queues() {
        return common.read(NUM_QUEUES);
    }

    @Override
    public int queueMaxSize(int index) {
        if (index >= queues()) {
            return 0;
        }
        common.write(QUEUE_SELECT, index);
        // Before the driver writes it, it is the most that the device can do (4.1.4.3).
        return common.read(QUEUE_SIZE);
    }

    @Override
    public boolean queueSizeIsFixed() {
        return false;
    }

    /** As 4.1.5.1.3 has it. */
    @Override
    public Doorbell enableQueue(int index, QueueAddresses queue) {
        common.write(QUEUE_SELECT, index);
        common.write(QUEUE_SIZE, queue.size());
        route(index, vector(index));
        common.writeAddress(QUEUE_DESC, queue.descriptorArea());
        common.writeAddress(QUEUE_DRIVER, queue.driverArea());
        common.writeAddress(QUEUE_DEVICE, queue.deviceArea());
        int notifyOffset = common.read(QUEUE_NOTIFY_OFF);
        long offset = notifyOffset * notifyMultiplier;
        if (offset + 2 > notifyLength) {
            throw new BrokenDeviceException(function.address() + ": queue " + index + " wants to be notified at offset "
                    + offset + " (queue_notify_off " + notifyOffset + " × " + notifyMultiplier
                    + "), and the device has " + notifyLength + " bytes for notifications");
        }
        common.write(QUEUE_ENABLE, 1);
        return new PciDoorbell(notifyBar, notifyBase + offset, index);
    }

    // ---- Interrupts: a vector for each receive queue, behind the first, which is for the configuration

    @Override
    public boolean canInterrupt(int pairs) {
        return function.interrupts().msix() >= FIRST_VECTOR + pairs;
    }

    @Override
    public void enableInterrupts(int pairs) {
        if (events.isEmpty()) {
            events = function.msix(FIRST_VECTOR + pairs);
            for (int index = 0; index < 2 * pairs; index += 2) {
                common.write(QUEUE_SELECT, index);
                route(index, vector(index));
            }
        }
        route("the configuration", CONFIG_MSIX_VECTOR, CONFIGURATION_VECTOR);
    }

    @Override
    public @Nullable EventFd configurationInterrupt() {
        return events.isEmpty() ? null : events.get(CONFIGURATION_VECTOR);
    }

    @Override
    public @Nullable EventFd interrupt(int index) {
        int vector = vector(index);
        return vector == NO_VECTOR ? null : events.get(vector);
    }

    private int vector(int index) {
        int vector = FIRST_VECTOR + index / 2;
        return index % 2 == 0 && vector < events.size() ? vector : NO_VECTOR;
    }

    private void route(int queue, int vector) {
        route("queue " + queue, QUEUE_MSIX_VECTOR, vector);
    }

    /** The device shows in the same register whether it does as told (4.1.5.1.2.1). */
    private void route(String what, CommonField field, int vector) {
        common.write(field, vector);
        int kept = common.read(field);
        if (kept != vector) {
            throw new BrokenDeviceException(function.address() + ": " + what + " has interrupt vector " + named(kept)
                    + " although it was told to have " + named(vector));
        }
    }

    private static String named(int vector) {
        return vector == NO_VECTOR ? "none" : String.valueOf(vector);
    }

    @Override
    public void resetQueue(int index) {
        common.write(QUEUE_SELECT, index);
        common.write(QUEUE_RESET, 1);
        BoundedWait.require(
                "queue_reset of queue " + index + " of " + function.address() + " to become 0",
                () -> common.read(QUEUE_RESET) == 0 && common.read(QUEUE_ENABLE) == 0,
                RESET,
                () -> "queue_reset=" + common.read(QUEUE_RESET) + " queue_enable=" + common.read(QUEUE_ENABLE));
    }

    @Override
    public List<RegisterValue> registers() {
        List<RegisterValue> values = new ArrayList<>(common.dump());
        if (isr != null) {
            // Reading it would clear it (4.1.4.5).
            values.add(new RegisterValue("isr_status", isr.offset(), OptionalInt.empty(), "4.1.4.5", ""));
        }
        return values;
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
