package io.doorbell.virtio.vhost.backend;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * What the JVM says when shared memory is gone, since its owner has made the file shorter that it is in: the access itself
 * does nothing, reads anything, and leaves an {@link InternalError} behind. Interpreted code throws it at once; compiled
 * code throws it where it looks next whether the JVM wants something of the thread, which may be at the end of a loop or
 * of a method far behind, in a place that nobody has prepared for it.
 */
final class MemoryFaults {

    /** Not final, so that the compiler cannot know what it calls, and calls it: the return from a call is such a place. */
    @SuppressWarnings("FieldCanBeFinal")
    private static MethodHandle nothing;

    static {
        try {
            nothing = MethodHandles.lookup()
                    .findStatic(MemoryFaults.class, "doNothing", MethodType.methodType(void.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private MemoryFaults() {}

    /**
     * Has the error thrown here, if there is one to be thrown. Takes some 3 ns, so it is for each poll and not for each
     * frame.
     *
     * @throws InternalError when memory that this thread has touched before was gone
     */
    static void settle() {
        try {
            nothing.invokeExact();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e); // it declares none
        }
    }

    @SuppressWarnings("UnusedMethod") // through the handle
    private static void doNothing() {}
}
