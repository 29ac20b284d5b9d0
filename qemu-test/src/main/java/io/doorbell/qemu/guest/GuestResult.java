package io.doorbell.qemu.guest;

import io.doorbell.qemu.QemuException;
import java.util.List;

/**
 * How a command in the guest ended.
 *
 * @param command its words
 * @param exit its status; 128 + n if signal n ended it
 */
public record GuestResult(List<String> command, int exit, String stdout, String stderr) {

    /**
     * This result, of a command that succeeded.
     *
     * @throws QemuException if its status is not 0; the message shows what it printed
     */
    public GuestResult orThrow() {
        if (exit != 0) {
            throw new QemuException("in the guest, '" + String.join(" ", command) + "' ended with status " + exit
                    + "\nstdout:\n" + stdout.strip() + "\nstderr:\n" + stderr.strip());
        }
        return this;
    }
}
