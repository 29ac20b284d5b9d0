package io.doorbell.igb.nic;

import io.doorbell.frame.ability.SelfTest;
import io.doorbell.frame.ability.SelfTestResult;
import java.util.List;
import java.util.function.Supplier;

/** The self-test of an open NIC, which does both of these under its lock. */
record IgbSelfTestSwitch(Supplier<List<SelfTestResult>> alongside, Supplier<List<SelfTestResult>> outOfService)
        implements SelfTest {

    @Override
    public List<SelfTestResult> online() {
        return alongside.get();
    }

    @Override
    public List<SelfTestResult> offline() {
        return outOfService.get();
    }
}
