package io.doorbell.igb.nic;

import static io.doorbell.frame.ability.SelfTestResult.failed;
import static io.doorbell.frame.ability.SelfTestResult.passed;
import static io.doorbell.frame.ability.SelfTestResult.skipped;
import static io.doorbell.igb.spec.IgbRegisters.CTRL;
import static io.doorbell.igb.spec.IgbRegisters.CTRL_GIO_MASTER_DISABLE;

import io.doorbell.DoorbellException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.LoopbackPoint;
import io.doorbell.frame.ability.NvmChecksum;
import io.doorbell.frame.ability.SelfTestResult;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.link.IgbLoopback;
import io.doorbell.igb.nvm.IgbNvm;
import io.doorbell.igb.selftest.DefectException;
import io.doorbell.igb.selftest.InterruptTest;
import io.doorbell.igb.selftest.RegisterTest;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.PciFunction;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The tests of a device, those of its link excepted. Under the NIC's lock. */
final class IgbSelfTest {

    private static final String REGISTERS = "registers";
    private static final String NVM = "nvm";
    private static final String INTERRUPTS = "interrupts";
    private static final String LOOPBACK = "loopback";
    private static final String DISTURBS = "only with the NIC out of service (offline)";
    /** In which the PHY finds its link to itself. */
    private static final Duration LINK = Duration.ofSeconds(3);

    private static final int SMALL_RING = 64;

    private final String name;
    private final PciFunction function;
    private final IgbModel model;
    private final RegisterFile registers;
    private final IgbSetup setup;
    private final IgbNvm nvm;
    private final IgbLoopback loopback;
    private final IgbInterrupts interrupts;
    /** Rings and buffers of its own, so that those of the application stay empty; made once, for good. */
    private @Nullable IgbQueues queues;
    /** Whether the device has been told of their buffers. */
    private boolean posted;

    IgbSelfTest(
            String name,
            PciFunction function,
            IgbModel model,
            RegisterFile registers,
            IgbSetup setup,
            IgbNvm nvm,
            IgbLoopback loopback,
            IgbInterrupts interrupts) {
        this.name = name;
        this.function = function;
        this.model = model;
        this.registers = registers;
        this.setup = setup;
        this.nvm = nvm;
        this.loopback = loopback;
        this.interrupts = interrupts;
    }

    /** Disturbs nothing. */
    List<SelfTestResult> online() {
        return List.of(skipped(REGISTERS, DISTURBS), nvm(), skipped(INTERRUPTS, DISTURBS), skipped(LOOPBACK, DISTURBS));
    }

    /** Of a device that is stopped, and is to be reset after this. */
    List<SelfTestResult> offline() {
        SelfTestResult registersHold = run(REGISTERS, () -> {
            setup.reset();
            function.config().busMaster(false);
            return new RegisterTest(registers, model).run();
        });
        SelfTestResult interruptsCome = run(INTERRUPTS, () -> {
            setup.reset();
            registers.clear(CTRL, CTRL_GIO_MASTER_DISABLE);
            function.config().busMaster(true); // a message is a write to memory
            return new InterruptTest(registers, model).run(interrupts.spare(), interrupts.spareEvent());
        });
        return List.of(registersHold, nvm(), interruptsCome, loopback());
    }

    private static SelfTestResult run(String test, Supplier<String> steps) {
        try {
            return passed(test, steps.get());
        } catch (DefectException | DoorbellException e) {
            return failed(test, String.valueOf(e.getMessage()));
        }
    }

    private SelfTestResult nvm() {
        String none = nvm.whyNot().orElse(null);
        return none != null ? skipped(NVM, none) : run(NVM, this::checksums);
    }

    private String checksums() {
        List<NvmChecksum> sums = nvm.checksums();
        for (NvmChecksum sum : sums) {
            if (!sum.valid()) {
                throw new DefectException(String.format(
                        "the checksum of %s is wrong: words 0x%02x to 0x%02x add up to 0x%04x, not to 0x%04x",
                        sum.covers(), sum.from(), sum.to(), sum.sum(), sum.expected()));
            }
        }
        return sums.size() == 1 ? "its checksum is right" : "its " + sums.size() + " checksums are right";
    }

    private SelfTestResult loopback() {
        if (!model.hasLoopback()) {
            return skipped(LOOPBACK, IgbLoopback.whyNot(model));
        }
        return run(LOOPBACK, () -> {
            setup.reset();
            function.config().busMaster(false);
            IgbQueues own = queues();
            empty();
            setup.configure();
            setup.setUpLink();
            try {
                loopback.start(LoopbackPoint.PHY);
                BoundedWait.require(
                        "the link of the PHY to itself", () -> setup.linkState().up(), LINK, setup.link()::describe);
                function.config().busMaster(true);
                own.enable(setup);
                posted = true;
                own.start();
                return new FrameTest(registers, own.rx(0), own.tx(0), setup.macAddress()).run();
            } finally {
                own.halt();
                function.config().busMaster(false);
                loopback.stop();
            }
        });
    }

    private IgbQueues queues() {
        IgbQueues own = queues;
        if (own == null) {
            NicConfig config = NicConfig.defaults().withRingSizes(SMALL_RING, SMALL_RING);
            own = new IgbQueues(
                    name + " self-test", IgbQueues.Device.port(model), config, false, function.bar(0), function.dma());
            queues = own;
        }
        return own;
    }

    /** Takes back the buffers, once the device has been reset and knows of none. */
    void empty() {
        if (posted) {
            posted = false;
            queues().empty();
        }
    }

    /** When the function is closed. */
    void release() {
        IgbQueues own = queues;
        if (own != null) {
            empty();
            own.release();
        }
    }
}
