package io.doorbell.igb.nic;

import io.doorbell.frame.ability.Nvm;
import io.doorbell.frame.ability.NvmChecksum;
import io.doorbell.frame.ability.NvmField;
import io.doorbell.igb.nvm.IgbNvm;
import java.util.List;

/**
 * The NVM of an open NIC.
 *
 * @param nic asks the device under the NIC's lock
 */
record IgbNvmReader(IgbNvm nvm, Inquiry nic) implements Nvm {

    @Override
    public int words() {
        return nic.ask(nvm::words);
    }

    @Override
    public int[] read(int from, int count) {
        return nic.ask(() -> nvm.read(from, count));
    }

    @Override
    public List<NvmChecksum> checksums() {
        return nic.ask(nvm::checksums);
    }

    @Override
    public List<NvmField> fields() {
        return nic.ask(nvm::fields);
    }
}
