package io.doorbell.pci;

/**
 * A route that goes out through a network interface.
 *
 * @param destination {@code default}, or a network as Linux writes it: {@code 192.0.2.0/24}
 * @param table which of the machine's routing tables it is in
 */
public record Route(String destination, long table) {

    /** {@code RT_TABLE_MAIN}: the table that is meant where none is named. */
    private static final long MAIN = 254;

    /** As a person reads it: {@code a default route}, {@code a route to 192.0.2.0/24 in table 100}. */
    @Override
    public String toString() {
        return (destination.equals("default") ? "a default route" : "a route to " + destination)
                + (table == MAIN ? "" : " in table " + table);
    }
}
