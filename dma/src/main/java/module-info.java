/** Memory that a device can reach, and the system-call seam. */
@SuppressWarnings({
    "requires-automatic", // jnr ships no module descriptors
    "requires-transitive-automatic",
    "module" // the floors above are compiled later
})
module io.doorbell.dma {
    requires static transitive org.jspecify;
    requires transitive org.jnrproject.constants;
    requires org.jnrproject.ffi;
    requires org.jnrproject.posix;
    requires org.objectweb.asm; // jnr-ffi writes classes with it and has no module descriptor that would say so

    exports io.doorbell;
    exports io.doorbell.dma;
    exports io.doorbell.dma.cleanup to
            io.doorbell.pci,
            io.doorbell.frame,
            io.doorbell.igb,
            io.doorbell.virtio;
    // jnr-ffi generates classes that implement LibC, in an unnamed module; hence not "to" certain modules only.
    exports io.doorbell.dma.kernel;
}
