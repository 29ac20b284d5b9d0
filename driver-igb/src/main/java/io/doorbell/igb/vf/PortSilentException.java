package io.doorbell.igb.vf;

import io.doorbell.DoorbellException;

/** The port's driver does not answer: the port is down, is being reset, or has forgotten this virtual function since. */
final class PortSilentException extends DoorbellException {

    private static final long serialVersionUID = 1;

    /**
     * @param nic the virtual function
     * @param seen what continues {@code "the port of NIC does not answer: "}
     */
    PortSilentException(String nic, String seen) {
        super("the port of " + nic + " does not answer: " + seen
                + ". It is down, or its driver is not there: start it with 'ip link set dev PORT up', where PORT is what 'ls"
                + " /sys/bus/pci/devices/" + nic + "/physfn/net' says");
    }
}
