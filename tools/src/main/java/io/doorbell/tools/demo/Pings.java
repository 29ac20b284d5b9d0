package io.doorbell.tools.demo;

/** Echo requests that a kernel sent to a NIC, and how many were answered. */
record Pings(int sent, int answered) {

    /** Where there is no kernel at the other end. */
    static final Pings NONE = new Pings(0, 0);

    boolean allAnswered() {
        return answered == sent;
    }

    @Override
    public String toString() {
        return sent == 0 ? "" : answered + " of " + sent;
    }
}
