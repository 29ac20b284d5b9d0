package io.doorbell.pci;

import io.doorbell.DoorbellException;
import java.util.List;
import java.util.Optional;

/**
 * A PCI function as the kernel knows it, at the time that it was asked.
 *
 * @param subsystem the card that the function is on: the vendor's own ids
 * @param classCode 24 bits: base class, subclass, programming interface
 * @param driver the kernel driver that is bound to it
 * @param interfaces what that driver made of it, if it is a NIC
 * @param iommuGroup the smallest set of functions that the IOMMU can tell from others; none without an IOMMU
 * @param numaNode that the function is close to, where the machine has several
 * @param link to the function, if it is PCI Express
 * @param resources its BARs and ROM, those that it has
 * @param resettable whether the kernel knows a way to reset this function alone
 */
public record PciDevice(
        PciAddress address,
        PciId id,
        PciId subsystem,
        int classCode,
        Optional<String> driver,
        List<NetInterface> interfaces,
        Optional<Integer> iommuGroup,
        Optional<Integer> numaNode,
        Optional<PciLink> link,
        List<PciResource> resources,
        boolean resettable) {

    private static final int ETHERNET_CONTROLLER = 0x0200;

    public PciDevice {
        interfaces = List.copyOf(interfaces);
        resources = List.copyOf(resources);
    }

    /** An Ethernet controller: class 02, subclass 00. */
    public boolean isNic() {
        return classCode >>> 8 == ETHERNET_CONTROLLER;
    }

    /** Says where it is, what it is and who has it, in one line. */
    public String describe() {
        return String.format(
                "%s (%s, %s, class 0x%06x, %s)",
                address,
                id,
                PciClass.name(classCode),
                classCode,
                driver.map(name -> "bound to " + name).orElse("bound to no driver"));
    }

    /**
     * Refuses what is no NIC.
     *
     * @throws DoorbellException when it is not a NIC; the message says what it is
     */
    public void requireNic() {
        if (!isNic()) {
            throw new DoorbellException(String.format(
                    "%s is not a NIC but a %s (class 0x%06x): 'nicctl list' shows the NICs",
                    address, PciClass.name(classCode), classCode));
        }
    }

    public boolean isBoundTo(String driverName) {
        return driver.filter(driverName::equals).isPresent();
    }

    /**
     * The group, for those who cannot do without.
     *
     * @throws DoorbellException when the function is behind no IOMMU; the message says how to get one
     */
    public int requireIommuGroup() {
        return iommuGroup.orElseThrow(() -> new DoorbellException(address
                + " is in no IOMMU group, so nothing would confine its DMA: enable the IOMMU in the firmware"
                + " (VT-d or AMD-Vi) and boot Linux with intel_iommu=on (Intel) or amd_iommu=on (AMD)"));
    }
}
