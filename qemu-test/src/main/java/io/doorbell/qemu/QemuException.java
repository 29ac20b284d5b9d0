package io.doorbell.qemu;

import io.doorbell.DoorbellException;
import org.jspecify.annotations.Nullable;

/** QEMU is missing, refused, died or fell silent; the message carries what is known, QEMU's own words included. */
public final class QemuException extends DoorbellException {

    private static final long serialVersionUID = 1L;

    public QemuException(String message) {
        super(message);
    }

    public QemuException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
