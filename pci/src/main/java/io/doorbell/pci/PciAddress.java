package io.doorbell.pci;

import io.doorbell.DoorbellException;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a PCI function sits, written as Linux writes it: {@code 0000:01:00.0}.
 *
 * @param domain 0 to 0xffff_ffff (Linux numbers virtual host bridges above 0xffff)
 * @param bus 0 to 0xff
 * @param device 0 to 0x1f
 * @param function 0 to 7
 */
public record PciAddress(int domain, int bus, int device, int function) implements Comparable<PciAddress> {

    private static final Pattern FORM =
            Pattern.compile("(?:([0-9a-fA-F]{1,8}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\\.([0-7])");

    private static final Comparator<PciAddress> ORDER = Comparator.<PciAddress>comparingLong(
                    a -> Integer.toUnsignedLong(a.domain))
            .thenComparingInt(PciAddress::bus)
            .thenComparingInt(PciAddress::device)
            .thenComparingInt(PciAddress::function);

    public PciAddress {
        if ((bus & ~0xff) != 0 || (device & ~0x1f) != 0 || (function & ~7) != 0) {
            throw new IllegalArgumentException(
                    String.format("no PCI address: bus=0x%x device=0x%x function=%d", bus, device, function));
        }
    }

    /** Whether {@code text} has the form of a PCI address, the domain being optional. */
    public static boolean isAddress(String text) {
        Matcher matcher = FORM.matcher(text);
        return matcher.matches() && Integer.parseInt(matcher.group(3), 16) <= 0x1f;
    }

    /**
     * Parses {@code 0000:01:00.0}, or {@code 01:00.0} in domain 0.
     *
     * @throws DoorbellException when it is neither
     */
    public static PciAddress parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!isAddress(text) || !matcher.matches()) {
            throw new DoorbellException("'" + text + "' is not a PCI address:"
                    + " write domain:bus:device.function in hexadecimal, such as 0000:01:00.0 or 01:00.0");
        }
        String domain = matcher.group(1);
        return new PciAddress(
                domain == null ? 0 : Integer.parseUnsignedInt(domain, 16),
                Integer.parseInt(matcher.group(2), 16),
                Integer.parseInt(matcher.group(3), 16),
                Integer.parseInt(matcher.group(4)));
    }

    @Override
    public int compareTo(PciAddress other) {
        return ORDER.compare(this, other);
    }

    /** The canonical form, as in {@code /sys/bus/pci/devices}. */
    @Override
    public String toString() {
        return String.format("%04x:%02x:%02x.%d", domain, bus, device, function);
    }
}
