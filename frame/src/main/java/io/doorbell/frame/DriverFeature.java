package io.doorbell.frame;

/**
 * Something that a driver does with a model of NIC, and how far that is known to work.
 *
 * @param name what it does, in a few words
 * @param evidence how far it is known to work with this model
 */
public record DriverFeature(String name, Evidence evidence) {

    /** How far something is known to work. */
    public enum Evidence {
        /** A test shows it with QEMU's model of this very device. */
        PROVED("proved on QEMU's model"),
        /** Tests show that the registers are written that this model has, and no device was there to obey them. */
        BY_TABLE("by register table only");

        private final String words;

        Evidence(String words) {
            this.words = words;
        }

        /** In words, for people. */
        @Override
        public String toString() {
            return words;
        }
    }
}
