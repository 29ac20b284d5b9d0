package io.doorbell.igb.nic;

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
import io.doorbell.frame.Rss;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.ability.CounterReport;
import io.doorbell.frame.ability.CounterValue;
import io.doorbell.frame.ability.EnergyEfficiency;
import io.doorbell.frame.ability.FlowControl;
import io.doorbell.frame.ability.FlowRules;
import io.doorbell.frame.ability.InterruptModeration;
import io.doorbell.frame.ability.LinkControl;
import io.doorbell.frame.ability.Loopback;
import io.doorbell.frame.ability.LoopbackPoint;
import io.doorbell.frame.ability.Loss;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.ability.Nvm;
import io.doorbell.frame.ability.PortLed;
import io.doorbell.frame.ability.PtpClock;
import io.doorbell.frame.ability.QueueInterrupts;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.ability.RssControl;
import io.doorbell.frame.ability.SelfTest;
import io.doorbell.frame.ability.SelfTestResult;
import io.doorbell.frame.event.NicClose;
import io.doorbell.frame.event.NicOpen;
import io.doorbell.frame.event.NicReset;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.spi.LinkWatch;
import io.doorbell.frame.spi.NicLife;
import io.doorbell.frame.spi.Periodic;
import io.doorbell.frame.spi.PollGate;
import io.doorbell.frame.spi.QueueAlarms;
import io.doorbell.igb.clock.IgbClock;
import io.doorbell.igb.filter.ReceiveFilter;
import io.doorbell.igb.filter.RssSteering;
import io.doorbell.igb.flow.FlowTable;
import io.doorbell.igb.led.IgbLed;
import io.doorbell.igb.link.IgbLoopback;
import io.doorbell.igb.nvm.IgbNvm;
import io.doorbell.igb.ring.IgbRxRing;
import io.doorbell.igb.ring.IgbTxRing;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.PciFunction;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One port of an igb device.
 *
 * <p>Its lock is held by whoever asks the device something or changes it, so that no register is touched once the NIC is
 * closed. Threads that poll do not take it: they stand behind the gates of their rings.
 */
public final class IgbNic implements Nic, CounterReport, QueueReset, RssControl {

    /** What it can be opened with. */
    public static final Set<NicOption<?>> OPTIONS = Set.of(NicOption.VLANS, NicOption.RSS, NicOption.RECEIVE_OFFLOADS);

    private static final int REGISTERS_BAR = 0;

    /** The id of that capability. */
    private static final int PCI_EXPRESS = 0x10;

    /** How often to look whether frames wait behind a link that is lost. */
    private static final Duration WATCH = Duration.ofSeconds(1);

    /** In which a link comes up if there is one: as long as Linux waits in its test. */
    private static final Duration LINK_TEST = Duration.ofSeconds(5);

    private static final Duration DRAIN = Duration.ofMillis(500);

    private static final System.Logger LOG = System.getLogger(IgbNic.class.getName());

    private final String name;
    private final NicLife life;
    private final PciFunction function;
    private final IgbModel model;
    private final RegisterFile registers;
    private final IgbSetup setup;
    private final IgbStatistics statistics;
    private final IgbQueues queues;
    private final RssSteering steering;
    private final ReceiveFilter filter;
    private final FlowTable flows;
    private final IgbClock clock;
    private final IgbInterrupts interrupts;
    private final IgbNvm nvm;
    private final IgbLed led;
    private final IgbPortLed portLed;
    private final IgbLoopback loopback;
    private final IgbSelfTest selfTest;
    private final List<IgbRxAlarm> alarms = new ArrayList<>();
    private final Abilities abilities;
    private final LinkWatch link;
    private final Periodic counting;
    private final Periodic watching;
    /** Frames that the device had and did not send when it was stopped. */
    private long lost;

    private boolean running;
    /** Whether there has been a link since it was set up, and whether there was none when it was looked at last. */
    private boolean hadLink;

    private boolean wasDown;
    /** Whether it has been said that frames are dropped, since there was a link. */
    private boolean saysDropped;

    /** Frames that waited behind a link that was lost, and were dropped. */
    private long stale;
    /** Whether the device is as after a reset, without rings and without buffers. */
    private boolean ready;

    /** Takes over {@code function}, which is closed with the NIC, or right away if the NIC does not come up. */
    public static IgbNic open(String name, PciFunction function, IgbModel model, NicConfig config) {
        return open(name, function, model, config, registers -> new IgbSetup(registers, model));
    }

    /** As the other one, with a set-up of the caller's choice. */
    public static IgbNic open(
            String name,
            PciFunction function,
            IgbModel model,
            NicConfig config,
            Function<RegisterFile, IgbSetup> setup) {
        return NicOpen.report(name, () -> {
            IgbNic nic = Cleanup.onFailure(function::close, () -> new IgbNic(name, function, model, config, setup));
            return Cleanup.onFailure(nic::close, () -> {
                nic.start();
                function.onLoss(nic::remove);
                return nic;
            });
        });
    }

    private IgbNic(
            String name,
            PciFunction function,
            IgbModel model,
            NicConfig config,
            Function<RegisterFile, IgbSetup> setup) {
        this.name = name;
        this.life = new NicLife(name);
        this.function = function;
        this.model = model;
        this.registers = new RegisterFile(name, function.bar(REGISTERS_BAR));
        this.setup = setup.apply(registers);
        this.statistics = new IgbStatistics(registers, model, config.queues());

        this.steering = new RssSteering(registers, config.queues(), config.rss());
        this.flows = new FlowTable(registers, model, config.queues());
        this.queues = new IgbQueues(
                name,
                IgbQueues.Device.port(model),
                config,
                steering.hashes(),
                function.bar(REGISTERS_BAR),
                function.dma());

        this.interrupts = new IgbInterrupts(registers, function, model, queues.count());
        this.link = new LinkWatch(name, this::lookAtLink, interrupts::linkEvent);
        for (int i = 0; i < queues.count(); i++) {
            alarms.add(new IgbRxAlarm(queues.rx(i), interrupts, i));
        }

        this.nvm = new IgbNvm(registers, model);
        this.led = new IgbLed(registers, model, nvm);
        this.portLed = new IgbPortLed(name, led, this::ask);
        this.loopback = new IgbLoopback(registers, model);
        this.selfTest = new IgbSelfTest(name, function, model, registers, this.setup, nvm, loopback, interrupts);

        this.setup.takeOver();
        this.setup.reset();
        this.ready = true;
        this.filter = new ReceiveFilter(
                registers,
                model,
                this.setup.alternateAddress(nvm).orElseGet(this.setup::macAddress),
                config.promiscuous(),
                config.vlans().orElse(Set.of()));
        this.clock = new IgbClock(registers, model);
        this.abilities = describe();
        this.watching = new Periodic("looking at the link of " + name, WATCH, this::watchLink);
        this.counting = new Periodic("reading the counters of " + name, IgbStatistics.PERIOD, this::keepCounting);
    }

    private Abilities describe() {
        Abilities all = Abilities.of(name)
                .with(RegisterDump.class, this::registers)
                .with(FlowRules.class, new IgbFlowRules(flows, this::withFlows))
                .with(MacFilter.class, new IgbMacFilter(filter, this::changeFilter))
                .with(CounterReport.class, this)
                .with(QueueReset.class, this)
                .with(PtpClock.class, new IgbPtpClock(clock, flows, this::askClock, this::changeClock))
                .with(LinkControl.class, new IgbLinkControl(setup.link(), this::ask, this::changeLink))
                .with(PortLed.class, portLed)
                .with(SelfTest.class, new IgbSelfTestSwitch(this::testOnline, this::testOffline))
                .with(FlowControl.class, new IgbFlowControl(setup.link(), this::ask, this::changeLink));
        all = model.isEnergyEfficient()
                ? all.with(EnergyEfficiency.class, new IgbEnergyEfficiency(setup.link(), this::ask, this::changeLink))
                : all.without(
                        EnergyEfficiency.class,
                        "the " + model + " is older than that: there is nothing to be turned off, either");
        all = model.hasLoopback()
                ? all.with(Loopback.class, new IgbLoopbackSwitch(this::startLoopback, this::stopLoopback))
                : all.without(Loopback.class, IgbLoopback.whyNot(model));
        all = interrupts.exist()
                ? all.with(QueueInterrupts.class, new QueueAlarms(this::checkOpen, this::rxAlarm, this::linkAlarm))
                        .with(
                                InterruptModeration.class,
                                new IgbModeration(name, interrupts, this::ask, this::changeInterrupts))
                : all.without(QueueInterrupts.class, interrupts.whyNot())
                        .without(InterruptModeration.class, interrupts.whyNot());
        String noNvm = nvm.whyNot().orElse(null);
        all = noNvm == null ? all.with(Nvm.class, new IgbNvmReader(nvm, this::ask)) : all.without(Nvm.class, noNvm);
        return steering.hashes()
                ? all.with(RssControl.class, this)
                : all.without(
                        RssControl.class,
                        "with one queue there is nothing to choose from: ask for more with NicConfig.withQueues, or for"
                                + " hashes with NicConfig.withRss");
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
        if (!ready) {
            setup.reset();
            function.config().busMaster(false);
            queues.empty();
        }
        ready = false;
        led.apply();
        setup.setUpBus(function.config(), function.config().capability(PCI_EXPRESS));
        setup.configure();
        setup.setUpLink();
        statistics.discard();
        function.config().busMaster(true);
        filter.apply();
        steering.apply();
        flows.apply();
        clock.start();
        queues.enable(setup);
        interrupts.apply();
        queues.start();
        setup.dropWhenFull(queues.count());
        hadLink = false;
        wasDown = false;
        running = true;
    }

    /** @param drain whether the device is to send what it has, if there is a link */
    private void takeDown(boolean drain) {
        running = false;
        link.seen(LinkState.DOWN);
        queues.halt();
        boolean reset = false;
        try {
            if (drain && setup.hasLink()) {
                BoundedWait.until(() -> queues.collect() == 0, DRAIN);
            }
            setup.shutDown(queues.count());
            statistics.update();
            loopback.stop(); // of which a reset alone does not tell the PHY
            clock.hold();
            setup.reset();
            led.apply();
            reset = true;
        } catch (BrokenDeviceException gone) {
            // There is no device that could be told, and none that would do anything: this is as good. Whoever needs it
            // hears of it by the next call.
        } finally {
            // Whatever the device did or did not do: from here on it cannot reach memory. If this fails, the rings keep
            // their buffers until it has been reset, or the function is closed.
            function.config().busMaster(false);
            clock.stop();
            lost += queues.collect();
            queues.empty();
            ready = reset;
        }
    }

    @Override
    public synchronized void close() {
        if (life.close()) {
            end();
        }
    }

    /** The device is lost: whoever polls or sleeps hears of it, and all is let go of, for which the system waits. */
    private synchronized void remove(String why) {
        if (life.remove(why)) {
            LOG.log(Level.WARNING, "{0} was removed: {1}", name, why);
            end();
        }
    }

    private void end() {
        link.close();
        endPeriodicWork();
        NicClose.report(
                name,
                () -> new Cleanup()
                        .then(() -> queues.close(life))
                        .then(portLed::close)
                        .then(() -> {
                            if (running) {
                                takeDown(true);
                            }
                        })
                        .then(function::close)
                        .then(queues::empty)
                        .then(queues::release)
                        .then(selfTest::release)
                        .end());
    }

    private void endPeriodicWork() {
        counting.close();
        watching.close();
    }

    /**
     * Drops frames that wait behind a link that was there and has been lost since the last time, as Linux does: they are stale when it
     * comes back, and until then no other would be taken. Where a queue cannot be set up anew alone, all are, once.
     */
    synchronized void watchLink() {
        if (!running) {
            return;
        }
        if (link.seen(setup.linkState()).up()) {
            hadLink = true;
            wasDown = false;
            saysDropped = false;
        } else if (hadLink && wasDown) {
            dropUnsent();
        } else {
            wasDown = true;
        }
    }

    private void dropUnsent() {
        long before = lost;
        try {
            for (int queue = 0; queue < queues.count(); queue++) {
                dropUnsent(queue);
            }
        } catch (DoorbellException e) {
            LOG.log(Level.WARNING, name + ": a queue cannot be set up anew without a link, so all are", e);
            queues.undisturbed(() -> {
                takeDown(false);
                bringUp(); // there was no link since: this is not done again before there is one
            });
        } finally {
            stale += lost - before;
            lost = before;
        }
    }

    private void dropUnsent(int index) {
        IgbTxRing ring = queues.tx(index);
        ring.gate().shut();
        try {
            int waiting = ring.collect();
            if (waiting > 0) {
                LOG.log(
                        saysDropped ? Level.DEBUG : Level.WARNING,
                        "{0} transmit queue {1}: {2} frames waited behind a link that is down; they are dropped",
                        name,
                        index,
                        waiting);
                saysDropped = true;
                renewTransmit(index, ring);
            }
        } finally {
            ring.gate().open();
        }
    }

    private void renewTransmit(int index, IgbTxRing ring) {
        ring.halt();
        try {
            setup.disableTransmit(index);
        } catch (DoorbellException e) {
            ring.fail(String.valueOf(e.getMessage()));
            throw e;
        }
        lost += ring.collect();
        ring.empty();
        queues.enableTransmit(setup, index);
        ring.start();
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
        return alarms.get(index);
    }

    private synchronized Alarm linkAlarm() {
        interrupt();
        return link.alarm();
    }

    private void interrupt() {
        checkOpen();
        interrupts.use();
        if (running) {
            interrupts.apply();
        }
    }

    private synchronized void changeInterrupts(Runnable change) {
        checkOpen();
        change.run();
        if (running) {
            registers.status();
            interrupts.apply();
        }
    }

    private synchronized void lookAtLink() {
        if (running) {
            interrupts.expectLinkChange();
            link.seen(setup.linkState());
        }
    }

    @Override
    public synchronized void resetRxQueue(int index) {
        IgbRxRing ring = queues.rx(index);
        checkOpen();
        resetQueue(ring.gate(), () -> {
            ring.halt();
            try {
                setup.disableReceive(index);
            } catch (DoorbellException e) {
                ring.fail(String.valueOf(e.getMessage()));
                throw e;
            }
            ring.empty();
            queues.enableReceive(setup, index);
            ring.start();
        });
    }

    @Override
    public synchronized void resetTxQueue(int index) {
        IgbTxRing ring = queues.tx(index);
        checkOpen();
        resetQueue(ring.gate(), () -> renewTransmit(index, ring));
    }

    private void resetQueue(PollGate gate, Runnable reset) {
        if (!running) {
            throw new DoorbellException(
                    name + " is stopped, and sets its queues up anew when it starts: use Nic.start");
        }
        gate.shut();
        try {
            reset.run();
        } finally {
            gate.open();
        }
    }

    private synchronized void startLoopback(LoopbackPoint point) {
        checkOpen();
        if (!running) {
            throw new DoorbellException(
                    name + " is stopped, and starts without a loopback: use Nic.start, and then Loopback.start");
        }
        link.seen(LinkState.DOWN);
        loopback.start(point);
    }

    private synchronized void stopLoopback() {
        checkOpen();
        if (loopback.isOn()) {
            loopback.stop();
            setup.setUpLink();
        }
    }

    private List<SelfTestResult> testOnline() {
        SelfTestResult ofLink = testLink();
        return and(ask(selfTest::online), ofLink);
    }

    private List<SelfTestResult> testOffline() {
        // While there is a link to be looked for.
        SelfTestResult ofLink = testLink();
        return and(testOutOfService(), ofLink);
    }

    private static List<SelfTestResult> and(List<SelfTestResult> results, SelfTestResult last) {
        List<SelfTestResult> all = new ArrayList<>(results);
        all.add(last);
        return List.copyOf(all);
    }

    /** Without the lock between two looks, as {@link #awaitLink}. */
    private SelfTestResult testLink() {
        String test = "link";
        if (!ask(() -> running)) {
            return SelfTestResult.skipped(test, name + " is stopped: Nic.start looks for a link");
        }
        LinkState[] seen = {LinkState.DOWN};
        boolean up = BoundedWait.until(
                () -> {
                    seen[0] = linkState();
                    return seen[0].up();
                },
                LINK_TEST);
        return up
                ? SelfTestResult.passed(test, seen[0].toString())
                : SelfTestResult.failed(
                        test,
                        "no link within " + LINK_TEST.toSeconds() + " s: " + describeLink()
                                + "; is the cable plugged in, and the other end up?");
    }

    private synchronized List<SelfTestResult> testOutOfService() {
        checkOpen();
        registers.status();
        boolean wasRunning = running;
        List<SelfTestResult> results = new ArrayList<>();
        queues.undisturbed(() -> {
            if (running) {
                takeDown(true);
            }
            ready = false;
            try {
                results.addAll(selfTest.offline());
            } finally {
                function.config().busMaster(false);
                if (wasRunning) {
                    bringUp();
                } else {
                    setup.reset();
                    led.apply();
                    ready = true;
                }
                selfTest.empty();
            }
        });
        return results;
    }

    @Override
    public synchronized Rss rss() {
        checkOpen();
        return steering.rss();
    }

    @Override
    public synchronized void rss(Rss wanted) {
        checkOpen();
        steering.rss(wanted);
        if (running) {
            registers.status();
            steering.apply();
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

    private synchronized void changeLink(Runnable change) {
        checkOpen();
        setup.link().requireOurs();
        change.run();
        if (running) {
            setup.setUpLink();
            setup.dropWhenFull(queues.count());
            hadLink = false;
            wasDown = false;
            link.seen(LinkState.DOWN);
        }
    }

    private synchronized <T> T askClock(Supplier<T> question) {
        checkOpen();
        if (running) {
            registers.status();
        }
        return question.get();
    }

    private synchronized void changeClock(Runnable change) {
        askClock(() -> {
            change.run();
            return this;
        });
    }

    private synchronized String describeLink() {
        checkOpen();
        return setup.link().describe();
    }

    @Override
    public void promiscuous(boolean on) {
        changeFilter(() -> filter.promiscuous(on));
    }

    private synchronized void changeFilter(Runnable change) {
        checkOpen();
        change.run();
        if (running) {
            registers.status();
            filter.apply();
        }
    }

    private synchronized <T> T withFlows(Supplier<T> action) {
        checkOpen();
        T result = action.get();
        if (running) {
            flows.update();
        }
        return result;
    }

    @Override
    public synchronized NicStatistics statistics() {
        checkOpen();
        if (running) {
            statistics.update();
        }
        return statistics.statistics(ofDriver(), lost + stale);
    }

    private List<CounterValue> ofDriver() {
        List<CounterValue> counters = new ArrayList<>();
        queues.count((name, value, meaning) -> counters.add(new CounterValue(name, value, meaning)));
        return counters;
    }

    @Override
    public synchronized List<CounterValue> counters() {
        checkOpen();
        if (running) {
            statistics.update();
        }
        List<CounterValue> counters = new ArrayList<>();
        statistics.count((name, value, meaning) -> counters.add(new CounterValue(name, value, meaning)));
        counters.addAll(ofDriver());
        return List.copyOf(counters);
    }

    @Override
    public synchronized List<Loss> losses() {
        return IgbLosses.of(counters(), lost, stale);
    }

    private synchronized void keepCounting() {
        if (running) {
            statistics.update();
        }
    }

    @Override
    public Abilities abilities() {
        return abilities;
    }

    private List<RegisterValue> registers() {
        return ask(() -> registers.dump(model));
    }

    private synchronized <T> T ask(Supplier<T> question) {
        checkOpen();
        registers.status();
        return question.get();
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
