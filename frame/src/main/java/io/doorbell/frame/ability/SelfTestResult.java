package io.doorbell.frame.ability;

/**
 * What became of one test of a device.
 *
 * @param test what was tested, in a word or two, such as {@code registers}
 * @param detail what was seen: for a failure, where and which values; for a test that was skipped, why
 */
public record SelfTestResult(String test, Outcome outcome, String detail) {

    /** How a test ended. */
    public enum Outcome {
        /** Nothing is wrong there. */
        PASSED,
        /** The device is broken there. */
        FAILED,
        /** Nothing is known. */
        SKIPPED
    }

    /** For drivers: a test that found nothing wrong. */
    public static SelfTestResult passed(String test, String detail) {
        return new SelfTestResult(test, Outcome.PASSED, detail);
    }

    /** For drivers: a test that found something wrong. */
    public static SelfTestResult failed(String test, String detail) {
        return new SelfTestResult(test, Outcome.FAILED, detail);
    }

    /** For drivers: a test that was not done. */
    public static SelfTestResult skipped(String test, String detail) {
        return new SelfTestResult(test, Outcome.SKIPPED, detail);
    }
}
