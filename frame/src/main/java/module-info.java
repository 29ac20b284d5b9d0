import io.doorbell.frame.NicProvider;

/** The frame API: NICs, queues, batches and frame buffers. */
module io.doorbell.frame {
    requires static transitive org.jspecify;
    requires transitive io.doorbell.dma;
    requires transitive jdk.jfr;

    exports io.doorbell.frame;
    exports io.doorbell.frame.ability;
    exports io.doorbell.frame.event;
    exports io.doorbell.frame.flow;
    exports io.doorbell.frame.software;
    exports io.doorbell.frame.spi;
    exports io.doorbell.frame.waiting;
    exports io.doorbell.frame.warmup;

    uses NicProvider;
}
