/** Memory that a device can reach, and the system-call seam. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // jnr ships no module descriptors
module io.doorbell.dma {
    requires static transitive org.jspecify;
    requires transitive org.jnrproject.constants;
    requires org.jnrproject.ffi;
    requires org.jnrproject.posix;
    requires org.objectweb.asm; // jnr-ffi writes classes with it and has no module descriptor that would say so

    exports io.doorbell.dma;
    // jnr-ffi generates classes that implement LibC, in an unnamed module; hence not "to" certain modules only.
    exports io.doorbell.dma.kernel;
}
