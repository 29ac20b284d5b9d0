package io.doorbell.igb.nic;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.frame.Abilities;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.event.NicClose;
import io.doorbell.frame.event.NicOpen;
import io.doorbell.frame.event.NicReset;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.spi.LinkWatch;
import io.doorbell.frame.spi.PoolNeeds;
import io.doorbell.frame.spi.PoolRegistrations;
import io.doorbell.igb.ring.IgbRxRing;
import io.doorbell.igb.ring.IgbTxRing;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.PciFunction;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/**
 * One port of an igb device, with one queue in each direction.
 *
 * <p>Its lock is held by whoever asks the device something or changes it, so that no register is touched once the NIC is
 * closed. Threads that poll do not take it: they stand behind the gates of their rings.
 */
public final class IgbNic implements Nic {

    private static final int REGISTERS_BAR = 0;
    private static final int SMALLEST_RING = 64;
    private static final int LARGEST_RING = 4096;
    /** RDLEN and TDLEN count in units of 128 bytes (8.10, 8.12). */
    private static final int RING_STEP = 8;
    /** A frame of the largest size that this driver receives fits into one buffer of this many bytes. */
    private static final int BUFFER_ROOM = 2048;

    private static final Duration DRAIN = Duration.ofMillis(500);

    private final String name;
    private final PciFunction function;
    private final IgbModel model;
    private final NicConfig config;
    private final RegisterFile registers;
    private final IgbSetup setup;
    private final IgbStatistics statistics;
    private final PoolRegistrations pools;
    private final IgbRxRing rx;
    private final IgbTxRing tx;
    private final MacAddress macAddress;
    private final Abilities abilities;
    private final LinkWatch link;
    private boolean promiscuous;
    /** Frames that the device had and did not send when it was stopped. */
    private long lost;

    private boolean running;
    private boolean closed;
    /** Whether the device is as after a reset, without rings and without buffers. */
    private boolean ready;

    /** Takes over {@code function}, which is closed with the NIC, or right away if the NIC does not come up. */
    public static IgbNic open(String name, PciFunction function, IgbModel model, NicConfig config) {
        return open(name, function, model, config, IgbSetup::new);
    }

    /** As the other one, with a set-up of the caller's choice. */
    public static IgbNic open(
            String name,
            PciFunction function,
            IgbModel model,
            NicConfig config,
            Function<RegisterFile, IgbSetup> setup) {
        return NicOpen.report(
                name,
                () -> Cleanup.onFailure(function::close, () -> {
                    IgbNic nic = new IgbNic(name, function, model, config, setup);
                    nic.start();
                    return nic;
                }));
    }

    private IgbNic(
            String name,
            PciFunction function,
            IgbModel model,
            NicConfig config,
            Function<RegisterFile, IgbSetup> setup) {
        if (config.queues() > 1) {
            throw new DoorbellException("this driver uses one queue of an igb in each direction yet, and"
                    + " NicConfig.withQueues asks for " + config.queues() + ": ask for 1");
        }
        checkRing("receive", config.rxRingSize());
        checkRing("transmit", config.txRingSize());
        this.name = name;
        this.function = function;
        this.model = model;
        this.config = config;
        this.promiscuous = config.promiscuous();
        this.link = new LinkWatch(name);
        this.abilities = Abilities.of(name)
                .with(RegisterDump.class, this::registers)
                .without(QueueReset.class, "its driver cannot set one queue up anew without the others: use Nic.reset");
        this.registers = new RegisterFile(name, function.bar(REGISTERS_BAR));
        this.setup = setup.apply(registers);
        this.statistics = new IgbStatistics(registers, 1);

        DmaSpace dma = function.dma();
        this.pools = new PoolRegistrations(name, dma);
        pools.provide(config, 1, new PoolNeeds("an igb", BUFFER_ROOM, config.rxRingSize() + config.txRingSize()));
        this.rx = new IgbRxRing(
                name + " receive queue 0",
                function.bar(REGISTERS_BAR),
                IgbRegisters.RDT.at(0),
                dma.allocate(IgbRxRing.bytes(config.rxRingSize())),
                config.rxRingSize(),
                pools.pool(0),
                pools.deviceAddress(0),
                BUFFER_ROOM);
        this.tx = new IgbTxRing(
                name + " transmit queue 0",
                function.bar(REGISTERS_BAR),
                IgbRegisters.TDT.at(0),
                dma.allocate(IgbTxRing.bytes(config.txRingSize())),
                config.txRingSize(),
                pools);

        this.setup.takeOver();
        this.setup.reset();
        this.ready = true;
        this.macAddress = this.setup.macAddress();
    }

    private static void checkRing(String direction, int size) {
        if (size < SMALLEST_RING || size > LARGEST_RING || size % RING_STEP != 0) {
            throw new DoorbellException("an igb " + direction + " ring has " + SMALLEST_RING + " to " + LARGEST_RING
                    + " descriptors, in steps of " + RING_STEP + ", not " + size
                    + ": choose such a size with NicConfig.withRingSizes");
        }
    }

    @Override
    public synchronized void start() {
        checkOpen();
        if (!running) {
            undisturbed(this::bringUp);
        }
    }

    @Override
    public synchronized void stop() {
        if (running) {
            undisturbed(() -> takeDown(true));
        }
    }

    @Override
    public synchronized void reset() {
        checkOpen();
        NicReset.report(
                name,
                () -> undisturbed(() -> {
                    if (running) {
                        takeDown(false);
                    }
                    bringUp();
                }));
    }

    /** Keeps threads out of the queues meanwhile: to them it is as if no frame came, and the transmit ring were full. */
    private void undisturbed(Runnable change) {
        rx.gate().shut();
        try {
            tx.gate().shut();
            try {
                change.run();
            } finally {
                tx.gate().open();
            }
        } finally {
            rx.gate().open();
        }
    }

    private void bringUp() {
        if (!ready) {
            setup.reset();
            function.config().busMaster(false);
            rx.empty();
            tx.empty();
        }
        ready = false;
        setup.configure();
        setup.setUpLink();
        statistics.discard();
        function.config().busMaster(true);
        setup.setUpReceive(rx.deviceAddress(), config.rxRingSize(), BUFFER_ROOM, promiscuous);
        setup.setUpTransmit(tx.deviceAddress(), config.txRingSize());
        rx.start();
        tx.start();
        running = true;
    }

    /** @param drain whether the device is to send what it has, if there is a link */
    private void takeDown(boolean drain) {
        running = false;
        link.seen(LinkState.DOWN);
        rx.halt();
        tx.halt();
        boolean reset = false;
        try {
            if (drain && setup.linkState().up()) {
                BoundedWait.until(() -> tx.collect() == 0, DRAIN);
            }
            setup.shutDown();
            statistics.update();
            setup.reset();
            reset = true;
        } catch (BrokenDeviceException gone) {
            // There is no device that could be told, and none that would do anything: this is as good. Whoever needs it
            // hears of it by the next call.
        } finally {
            // Whatever the device did or did not do: from here on it cannot reach memory. If this fails, the rings keep
            // their buffers until it has been reset, or the function is closed.
            function.config().busMaster(false);
            lost += tx.collect();
            rx.empty();
            tx.empty();
            ready = reset;
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        NicClose.report(name, () -> {
            rx.gate().close();
            tx.gate().close();
            try {
                if (running) {
                    takeDown(true);
                }
            } finally {
                release();
            }
        });
    }

    private void release() {
        try {
            function.close();
            rx.empty();
            tx.empty();
        } finally {
            pools.close();
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new NicClosedException(name);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String model() {
        return model.toString();
    }

    @Override
    public MacAddress macAddress() {
        return macAddress;
    }

    @Override
    public int queues() {
        return 1;
    }

    @Override
    public RxQueue rxQueue(int index) {
        checkQueue("receive", index);
        return rx;
    }

    @Override
    public TxQueue txQueue(int index) {
        checkQueue("transmit", index);
        return tx;
    }

    private void checkQueue(String direction, int index) {
        if (index != 0) {
            throw new IndexOutOfBoundsException(
                    name + " has one " + direction + " queue, number 0; there is no number " + index);
        }
    }

    @Override
    public synchronized LinkState linkState() {
        checkOpen();
        return link.seen(running ? setup.linkState() : LinkState.DOWN);
    }

    @Override
    public LinkState awaitLink(Duration timeout) {
        // Without the lock between two looks: others have the NIC meanwhile, and may close it.
        BoundedWait.require(
                "link on " + name,
                () -> linkState().up(),
                timeout,
                () -> describeLink() + "; is the cable plugged in, and the other end up?");
        return linkState();
    }

    private synchronized String describeLink() {
        checkOpen();
        return setup.describeLink();
    }

    @Override
    public synchronized void promiscuous(boolean on) {
        checkOpen();
        promiscuous = on;
        if (running) {
            setup.promiscuous(on);
        }
    }

    @Override
    public synchronized NicStatistics statistics() {
        checkOpen();
        if (running) {
            statistics.update();
        }
        return statistics.statistics(rx.dropped(), lost);
    }

    @Override
    public Abilities abilities() {
        return abilities;
    }

    private synchronized List<RegisterValue> registers() {
        checkOpen();
        registers.status();
        return registers.dump(model.queues());
    }

    /** For tests that look over the driver's shoulder. */
    public RegisterFile registerFile() {
        return registers;
    }

    @Override
    public String toString() {
        return model + " " + name;
    }
}
