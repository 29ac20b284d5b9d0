package io.doorbell.igb.selftest;

/** A test has found something wrong; the message says what. */
public final class DefectException extends RuntimeException {

    private static final long serialVersionUID = 1;

    public DefectException(String message) {
        super(message);
    }
}
