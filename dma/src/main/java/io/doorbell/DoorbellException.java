package io.doorbell;

import org.jspecify.annotations.Nullable;

/**
 * What Doorbell could not do, and why: the message names the value at fault, the reason and the way out, so that it can
 * be shown to a person as it is.
 */
public class DoorbellException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DoorbellException(String message) {
        super(message);
    }

    public DoorbellException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
