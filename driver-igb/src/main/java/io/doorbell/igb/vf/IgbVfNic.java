package io.doorbell.igb.vf;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.frame.Abilities;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicOption;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.ability.QueueInterrupts;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.event.NicClose;
import io.doorbell.frame.event.NicOpen;
import io.doorbell.frame.event.NicReset;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.spi.LinkWatch;
import io.doorbell.frame.spi.NicLife;
import io.doorbell.frame.spi.QueueAlarms;
import io.doorbell.igb.nic.IgbQueues;
import io.doorbell.igb.nic.IgbRxAlarm;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.PciFunction;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;

/**
 * A virtual function of a port that the kernel, or anybody else, drives.
 *
 * <p>The port may be reset at any time, as when its interface is taken down and up: it forgets this function then, and moves
 * no frame for it. That is noticed whenever the link is asked for, and once a second by a thread of this NIC's; the link is
 * down until the port is up again, and then everything is set up as before. Frames in the rings are lost.
 *
 * <p>Its lock is held by whoever asks the device or the port something, so that no register is touched once the NIC is closed.
 * Threads that poll do not take it: they stand behind the gates of their rings.
 */
public final class IgbVfNic implements Nic {

    /** What it can be opened with. */
    public static final Set<NicOption<?>> OPTIONS = Set.of(NicOption.VLANS, NicOption.RECEIVE_OFFLOADS);

    private static final Logger LOG = System.getLogger(IgbVfNic.class.getName());

    private static final int REGISTERS_BAR = 0;
    /** Whether frames go to a second one is up to the port's driver; Linux's lets none. */
    private static final int QUEUES = 1;

    private static final Duration DRAIN = Duration.ofMillis(500);
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);

    /** How long the driver of a port may take to answer; it may wait for a processor first. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final String name;
    private final NicLife life;
    private final PciFunction function;
    private final VfModel model;
    private final RegisterFile registers;
    private final VfMailbox mailbox;
    private final VfSetup setup;
    private final VfStatistics statistics;
    private final IgbQueues queues;
    private final VfFilter filter;
    private final VfInterrupts interrupts;
    private final IgbRxAlarm rxAlarm;
    private final Abilities abilities;
    private final LinkWatch link;
    private final Thread watcher;
    /** Frames that the device had and did not send when it was stopped, or its port was reset. */
    private long lost;

    /** Whether the function is as after a reset, and known to its port. */
    private boolean fresh;

    /** The station address that the port had for it when it was made known last. */
    private Optional<MacAddress> granted;

    private boolean running;
    /** The port has all that was asked for, as far as is known, and the rings are set up. */
    private boolean attached;

    /** When to try next to make itself known to a port that did not answer. */
    private long nextAttempt = System.nanoTime();

    /** Why the latest attempt failed. */
    private String trouble = "";

    /** Takes over {@code function}, which is closed with the NIC, or right away if the NIC does not come up. */
    public static IgbVfNic open(String name, PciFunction function, VfModel model, NicConfig config) {
        return open(name, function, model, config, PATIENCE);
    }

    /** As the other one, with a patience of the caller's choice. */
    static IgbVfNic open(String name, PciFunction function, VfModel model, NicConfig config, Duration patience) {
        return NicOpen.report(name, () -> {
            IgbVfNic nic =
                    Cleanup.onFailure(function::close, () -> new IgbVfNic(name, function, model, config, patience));
            return Cleanup.onFailure(nic::close, () -> {
                nic.start();
                nic.watcher.start();
                function.onLoss(nic::remove);
                return nic;
            });
        });
    }

    private IgbVfNic(String name, PciFunction function, VfModel model, NicConfig config, Duration patience) {
        this.name = name;
        this.life = new NicLife(name);
        this.function = function;
        this.model = model;
        this.registers = new RegisterFile(name, function.bar(REGISTERS_BAR));
        this.mailbox = new VfMailbox(registers, patience);
        PortRequests port = new PortRequests(mailbox);
        this.interrupts = new VfInterrupts(registers, function);
        this.setup = new VfSetup(registers, mailbox, port, interrupts, patience);
        this.statistics = new VfStatistics(registers);
        this.queues = new IgbQueues(
                name,
                new IgbQueues.Device("an " + model, QUEUES, VfRegisters.RINGS, false),
                tagged(config),
                false,
                function.bar(REGISTERS_BAR),
                function.dma());
        this.rxAlarm = new IgbRxAlarm(queues.rx(0), interrupts, 0);
        this.link = new LinkWatch(name, this::lookAtLink, interrupts::mailboxEvent);

        this.setup.reset();
        this.granted = this.setup.introduce();
        this.fresh = true;
        this.filter = new VfFilter(name, port, granted, config.promiscuous(), vlans(config));
        this.abilities = describe();
        this.watcher = Thread.ofPlatform().daemon().name(name).unstarted(this::watch);
    }

    private static Set<Integer> vlans(NicConfig config) {
        return config.vlans().orElse(Set.of());
    }

    /**
     * A port takes out the tags of VLANs that this function has asked for, and puts tags in. What its administrator has put
     * the function into does not show, so no tag is told of then.
     */
    private NicConfig tagged(NicConfig config) {
        if (vlans(config).isEmpty()) {
            return config.withReceiveOffloads(config.receiveOffloads() & ~Offloads.VLAN_TAG);
        }
        if ((config.receiveOffloads() & Offloads.VLAN_TAG) == 0) {
            throw new DoorbellException("the port of " + name + " takes the tags out of all frames in VLANs "
                    + vlans(config) + ", so that they must be told beside the frame: ask for that with"
                    + " NicConfig.withReceiveOffloads(Offloads.VLAN_TAG)");
        }
        return config;
    }

    private Abilities describe() {
        Abilities all = Abilities.of(name)
                .with(RegisterDump.class, this::registers)
                .with(MacFilter.class, new VfMacFilter(this::changeFilter));
        return interrupts.exist()
                ? all.with(QueueInterrupts.class, new QueueAlarms(this::checkOpen, this::rxAlarm, this::linkAlarm))
                : all.without(QueueInterrupts.class, interrupts.whyNot());
    }

    @Override
    public synchronized void start() {
        checkOpen();
        if (!running) {
            queues.undisturbed(this::bringUp);
        }
    }

    @Override
    public synchronized void stop() {
        if (running) {
            queues.undisturbed(() -> takeDown(true));
        }
    }

    @Override
    public synchronized void reset() {
        checkOpen();
        NicReset.report(
                name,
                () -> queues.undisturbed(() -> {
                    if (running) {
                        takeDown(false);
                    }
                    bringUp();
                }));
    }

    private void bringUp() {
        if (!fresh) {
            setup.reset();
            function.config().busMaster(false);
            queues.empty();
            granted = setup.introduce();
        }
        fresh = false;
        filter.apply(granted);
        function.config().busMaster(true);
        queues.enable(setup);
        interrupts.apply();
        queues.start();
        statistics.rebase();
        running = true;
        attached = true;
    }

    /** @param drain whether the device is to send what it has, if there is a link */
    private void takeDown(boolean drain) {
        boolean whole = attached;
        running = false;
        attached = false;
        link.seen(LinkState.DOWN);
        queues.halt();
        try {
            if (drain && whole && setup.linkState().up()) {
                BoundedWait.until(() -> queues.collect() == 0, DRAIN);
            }
            setup.shutDown(queues.count());
            if (whole) {
                statistics.update();
            }
            setup.reset();
        } catch (BrokenDeviceException gone) {
            // There is no device that could be told, and none that would do anything: this is as good. Whoever needs it
            // hears of it by the next call.
        } finally {
            // Whatever the device did or did not do: from here on it cannot reach memory. If this fails, the rings keep
            // their buffers until it has been reset, or the function is closed.
            function.config().busMaster(false);
            lost += queues.collect();
            queues.empty();
        }
    }

    // ---- The port's coming and going

    /** What the link is, of a NIC that runs: all is set up anew if the port was reset since, and is up again. */
    private LinkState look() {
        registers.status();
        try {
            mailbox.listen();
        } catch (PortSilentException e) {
            trouble = String.valueOf(e.getMessage());
        }
        if (!mailbox.isKnown()) {
            attached = false;
        }
        if (!attached && !mailbox.isPortInReset() && System.nanoTime() - nextAttempt >= 0) {
            attach();
        }
        return attached ? setup.linkState() : LinkState.DOWN;
    }

    private void attach() {
        try {
            NicReset.report(name, () -> queues.undisturbed(this::startOver));
            trouble = "";
        } catch (BrokenDeviceException gone) {
            throw gone;
        } catch (DoorbellException e) {
            trouble = String.valueOf(e.getMessage());
            nextAttempt = System.nanoTime() + BETWEEN_LOOKS.toNanos();
        }
    }

    /** As {@link #bringUp}, of a NIC whose threads poll: to them it is as if no frame came until it has worked. */
    private void startOver() {
        setup.reset();
        granted = setup.introduce();
        filter.apply(granted);
        function.config().busMaster(false);
        lost += queues.collect();
        queues.halt();
        queues.empty();
        function.config().busMaster(true);
        try {
            queues.enable(setup);
            interrupts.apply();
        } finally {
            queues.start();
        }
        statistics.rebase();
        attached = true;
    }

    /** On a thread of its own, so that a port's reset is noticed, and no counter overtaken, where nobody asks. */
    private void watch() {
        String complaint = "";
        while (!life.isOver()) {
            LockSupport.parkNanos(BETWEEN_LOOKS.toNanos());
            try {
                lookAfter();
                complaint = "";
            } catch (Throwable e) {
                if (!complaint.equals(e.toString())) {
                    complaint = e.toString();
                    LOG.log(Level.WARNING, name + ": the thread that watches its port met an error, and goes on", e);
                }
            }
        }
    }

    private synchronized void lookAfter() {
        if (running && !life.isOver()) {
            link.seen(look());
            if (attached) {
                statistics.update();
            }
        }
    }

    // ---- The rest of its life

    @Override
    public void close() {
        synchronized (this) {
            if (life.close()) {
                end();
            }
        }
        // Not under the lock, which it may wait for.
        LockSupport.unpark(watcher);
    }

    /** The function is lost: whoever polls or sleeps hears of it, and all is let go of, for which the system waits. */
    private void remove(String why) {
        synchronized (this) {
            if (life.remove(why)) {
                LOG.log(Level.WARNING, "{0} was removed: {1}", name, why);
                end();
            }
        }
        LockSupport.unpark(watcher);
    }

    private void end() {
        link.close();
        NicClose.report(
                name,
                () -> new Cleanup()
                        .then(() -> queues.close(life))
                        .then(() -> {
                            if (running) {
                                takeDown(true);
                            }
                        })
                        .then(function::close)
                        .then(queues::empty)
                        .then(queues::release)
                        .end());
    }

    private void checkOpen() {
        life.checkOpen();
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
        return filter.own();
    }

    @Override
    public int queues() {
        return queues.count();
    }

    @Override
    public RxQueue rxQueue(int index) {
        return queues.rx(index);
    }

    @Override
    public TxQueue txQueue(int index) {
        return queues.tx(index);
    }

    private synchronized Alarm rxAlarm(int index) {
        queues.rx(index); // says what is wrong with the index, if anything is
        interrupt();
        return rxAlarm;
    }

    private synchronized Alarm linkAlarm() {
        interrupt();
        return link.alarm();
    }

    private void interrupt() {
        checkOpen();
        interrupts.use();
        if (attached) {
            interrupts.apply();
        }
    }

    private synchronized void lookAtLink() {
        if (running) {
            interrupts.expectMessage();
            link.seen(look());
        }
    }

    @Override
    public synchronized LinkState linkState() {
        checkOpen();
        return link.seen(running ? look() : LinkState.DOWN);
    }

    @Override
    public LinkState awaitLink(Duration timeout) {
        // Without the lock between two looks: others have the NIC meanwhile, and may close it.
        BoundedWait.require("link on " + name, () -> linkState().up(), timeout, this::describeLink);
        return linkState();
    }

    private synchronized String describeLink() {
        checkOpen();
        int status = registers.status();
        if (attached) {
            return String.format(
                    "STATUS=0x%08x, and its port answers; is the port's cable plugged in, and the other end up?",
                    status);
        }
        return String.format(
                "STATUS=0x%08x, and its port %s",
                status,
                mailbox.isPortInReset() ? "is down: start it with 'ip link set dev PORT up'" : "was reset: " + trouble);
    }

    @Override
    public void promiscuous(boolean on) {
        changeFilter((wanted, now) -> wanted.promiscuous(on, now));
    }

    /** While the port is away, what is wanted is kept for when it is back. */
    private synchronized void changeFilter(BiConsumer<VfFilter, Boolean> change) {
        checkOpen();
        if (running) {
            look();
        }
        change.accept(filter, attached);
    }

    @Override
    public synchronized NicStatistics statistics() {
        checkOpen();
        if (running) {
            look();
            if (attached) {
                statistics.update();
            }
        }
        return statistics.statistics(queues.dropped(), lost);
    }

    @Override
    public Abilities abilities() {
        return abilities;
    }

    private synchronized List<RegisterValue> registers() {
        checkOpen();
        registers.status();
        return registers.dump(VfRegisters.all(), reg -> VfRegisters.count(reg, model));
    }

    @Override
    public String toString() {
        return model + " " + name;
    }
}
