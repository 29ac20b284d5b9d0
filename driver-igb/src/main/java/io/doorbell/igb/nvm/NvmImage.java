package io.doorbell.igb.nvm;

import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.NvmChecksum;
import io.doorbell.frame.ability.NvmField;
import io.doorbell.igb.spec.IgbModel;
import java.util.ArrayList;
import java.util.List;

/**
 * What the words of a NVM mean (82576 data sheet, 6). Where the family's data sheets give a word no meaning, or several, it is
 * not in here.
 */
final class NvmImage {

    private static final int ADDRESS = 0x00;
    private static final int ADDRESS_WORDS = 3;
    private static final int COMPATIBILITY = 0x03;
    /** In the compatibility word of an 82580: each port has a section. */
    private static final int PORT_SECTIONS = 1 << 15;

    private static final int VERSION = 0x05;
    private static final int PBA = 0x08;
    private static final int SUBSYSTEM = 0x0B;
    private static final int SUBSYSTEM_VENDOR = 0x0C;
    private static final int DEVICE = 0x0D;
    private static final int VENDOR = 0x0E;
    private static final int ALTERNATE_ADDRESS_POINTER = 0x37;
    private static final int SECTION_WORDS = 0x40;
    private static final int ETRACK = 0x42;

    /** The sum of a section. */
    private static final int SUM = 0xBABA;
    /** In the first word of the PBA number: the second one points to the number, which is text. */
    private static final int PBA_IS_TEXT = 0xFAFA;

    private static final int ERASED = 0xFFFF;
    private static final int PORTS = 4;

    private final IgbModel model;
    private final int size;
    private final Reader reader;
    private final int[] first;

    /** Reads words from one on. */
    @FunctionalInterface
    interface Reader {
        int[] read(int from, int count);
    }

    NvmImage(IgbModel model, int size, Reader reader) {
        this.model = model;
        this.size = size;
        this.reader = reader;
        this.first = reader.read(0, SECTION_WORDS);
    }

    List<NvmChecksum> checksums() {
        List<NvmChecksum> sums = new ArrayList<>();
        for (int port = 0; port < sections(); port++) {
            int from = section(port);
            int sum = 0;
            for (int word : reader.read(from, SECTION_WORDS)) {
                sum += word;
            }
            String covers = sections() == 1 ? "all ports" : "port " + port;
            sums.add(new NvmChecksum(covers, from, from + SECTION_WORDS - 1, sum & 0xFFFF, SUM));
        }
        return sums;
    }

    private int sections() {
        return switch (model.nvm()) {
            case FOUR_SECTIONS -> PORTS;
            case SECTION_OR_FOUR -> (first[COMPATIBILITY] & PORT_SECTIONS) != 0 ? PORTS : 1;
            case SECTION, FLASH_IF_ANY, NONE -> 1;
        };
    }

    /** Behind the first section are 0x40 words that are for all ports. */
    private static int section(int port) {
        return port == 0 ? 0 : SECTION_WORDS * (port + 1);
    }

    List<NvmField> fields() {
        List<NvmField> fields = new ArrayList<>();
        for (int port = 0; port < sections(); port++) {
            int word = section(port) + ADDRESS;
            fields.add(new NvmField("MAC address of port " + port, word, macAddress(reader.read(word, ADDRESS_WORDS))));
        }
        if (model.hasAlternateAddresses()) {
            fields.add(alternateAddress());
        }
        fields.add(hex("compatibility", COMPATIBILITY));
        fields.add(new NvmField("image version", VERSION, version()));
        if (hasEtrack()) {
            int[] words = reader.read(ETRACK, 2);
            fields.add(new NvmField("eTrack id", ETRACK, String.format("0x%04x%04x", words[1], words[0])));
        }
        fields.add(new NvmField("PBA number", PBA, first[PBA] == PBA_IS_TEXT ? pbaText() : pbaNumber()));
        fields.add(hex("vendor id", VENDOR));
        fields.add(hex("device id", DEVICE));
        fields.add(hex("subsystem vendor id", SUBSYSTEM_VENDOR));
        fields.add(hex("subsystem id", SUBSYSTEM));
        return fields;
    }

    private NvmField hex(String name, int word) {
        return new NvmField(name, word, String.format("0x%04x", first[word]));
    }

    /** The first byte on the wire is the lower one of the first word. */
    static MacAddress macOf(int[] words) {
        long address = 0;
        for (int word : words) {
            address = (address << 16) | ((word & 0xFF) << 8) | (word >>> 8);
        }
        return new MacAddress(address);
    }

    private static String macAddress(int[] words) {
        MacAddress mac = macOf(words);
        return mac.isUnicast() ? mac.toString() : "none (" + mac + ")";
    }

    private NvmField alternateAddress() {
        int pointer = first[ALTERNATE_ADDRESS_POINTER];
        String value;
        if (pointer == 0 || pointer == ERASED) {
            value = "none";
        } else if (pointer > size - ADDRESS_WORDS) {
            value = String.format(
                    "none (word 0x%02x points beyond the end, to 0x%04x)", ALTERNATE_ADDRESS_POINTER, pointer);
        } else {
            value = macAddress(reader.read(pointer, ADDRESS_WORDS));
        }
        return new NvmField("alternate MAC address of port 0", ALTERNATE_ADDRESS_POINTER, value);
    }

    /** The highest four bits of the second word say that there is one. */
    private boolean hasEtrack() {
        return ETRACK + 2 <= size && reader.read(ETRACK + 1, 1)[0] >>> 12 == 8;
    }

    private String version() {
        int word = first[VERSION];
        if (word == 0 || word == ERASED) {
            return String.format("none (0x%04x)", word);
        }
        int major = word >>> 12;
        if (!model.hasDecimalVersion() && !hasEtrack()) {
            return major + "." + (word >>> 4 & 0xFF) + "." + (word & 0xF);
        }
        // Two decimal digits, in the lowest byte or, as in older images, four bits further up.
        int minor = (word & 0x0F00) == 0 ? word & 0xFF : word >>> 4 & 0xFF;
        return major + "." + ((minor >>> 4) * 10 + (minor & 0xF));
    }

    /** Six hexadecimal digits and two, as on the board. */
    private String pbaNumber() {
        if (first[PBA] == ERASED && first[PBA + 1] == ERASED) {
            return "none (0xffff 0xffff)";
        }
        return String.format("%04X%02X-0%02X", first[PBA], first[PBA + 1] >>> 8, first[PBA + 1] & 0xFF);
    }

    private String pbaText() {
        int pointer = first[PBA + 1];
        String where = String.format("none (word 0x%02x points to 0x%04x, ", PBA + 1, pointer);
        if (pointer >= size) {
            return where + "which is beyond the end)";
        }
        int length = reader.read(pointer, 1)[0]; // itself included
        if (length < 2 || length > size - pointer) {
            return where + String.format("where the length is 0x%04x)", length);
        }
        StringBuilder text = new StringBuilder();
        for (int word : reader.read(pointer + 1, length - 1)) {
            text.append((char) (word >>> 8)).append((char) (word & 0xFF));
        }
        // A number of odd length ends in a zero.
        String number = text.toString().replaceAll("\0+$", "");
        return number.chars().allMatch(c -> c > ' ' && c < 0x7F)
                ? number
                : where + "where there is something else than text)";
    }
}
