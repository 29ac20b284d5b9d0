package io.doorbell.igb.nvm;

import static io.doorbell.igb.spec.IgbRegisters.EEC;
import static io.doorbell.igb.spec.IgbRegisters.EEC_EE_PRES;
import static io.doorbell.igb.spec.IgbRegisters.EEC_EE_SIZE;
import static io.doorbell.igb.spec.IgbRegisters.EEC_FLASH_DETECTED;
import static io.doorbell.igb.spec.IgbRegisters.EERD;
import static io.doorbell.igb.spec.IgbRegisters.EERD_ADDR;
import static io.doorbell.igb.spec.IgbRegisters.EERD_DATA;
import static io.doorbell.igb.spec.IgbRegisters.EERD_DONE;
import static io.doorbell.igb.spec.IgbRegisters.EERD_START;

import io.doorbell.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.NvmChecksum;
import io.doorbell.frame.ability.NvmField;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.link.IgbSemaphore;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The EEPROM or flash of a device, read word by word through EERD (82576 data sheet, 8.4.2). */
public final class IgbNvm {

    private static final Duration LIMIT = Duration.ofMillis(500);
    /** Words in a NVM whose EE_SIZE is 0. */
    private static final int SMALLEST = 64;

    private static final int LARGEST = 1 << 15;
    private static final int REACHED_BY_EERD = 1 << 14;
    /** Words to be read before others get the semaphore. */
    private static final int BURST = 512;

    private static final int ALTERNATE_ADDRESSES = 0x37;
    private static final int ADDRESS_WORDS = 3;
    private static final int ERASED = 0xffff;

    private final RegisterFile registers;
    private final IgbModel model;
    private final IgbSemaphore semaphore;

    public IgbNvm(RegisterFile registers, IgbModel model) {
        this.registers = registers;
        this.model = model;
        this.semaphore = new IgbSemaphore(registers);
    }

    /** If there is none: what continues {@code "NIC has no Nvm: "}. */
    public Optional<String> whyNot() {
        int eec = registers.read(EEC);
        return switch (model.nvm()) {
            case NONE -> Optional.of(fused("an " + model + " has no EEPROM and no flash"));
            case FLASH_IF_ANY ->
                EEC_FLASH_DETECTED.isSetIn(eec)
                        ? Optional.empty()
                        : Optional.of(
                                fused(String.format("it has no flash (EEC=0x%08x, FLASH_DETECTED is clear)", eec)));
            case SECTION, SECTION_OR_FOUR, FOUR_SECTIONS ->
                EEC_EE_PRES.isSetIn(eec)
                        ? Optional.empty()
                        : Optional.of(String.format(
                                "it has no EEPROM (EEC=0x%08x, EE_PRES is clear); Nic.macAddress tells its address",
                                eec));
        };
    }

    private static String fused(String reason) {
        return reason + ", but a few words that are fused into it (iNVM), which this driver does not read;"
                + " Nic.macAddress tells its address";
    }

    /**
     * The station address that a port is to have in place of its own (word 0x37 points to it); empty where there is none, as in all
     * models whose firmware sees to it. {@code igb_check_alt_mac_addr} of Linux.
     *
     * @throws DoorbellException when the NVM cannot be read
     */
    public Optional<MacAddress> alternateAddress(int port) {
        if (!model.hasAlternateAddresses() || whyNot().isPresent()) {
            return Optional.empty();
        }
        int pointer = read(ALTERNATE_ADDRESSES, 1)[0];
        int from = pointer + port * ADDRESS_WORDS;
        if (pointer == 0 || pointer == ERASED || from > words() - ADDRESS_WORDS) {
            return Optional.empty();
        }
        MacAddress address = NvmImage.macOf(read(from, ADDRESS_WORDS));
        return address.isUnicast() ? Optional.of(address) : Optional.empty();
    }

    /** How many words there are. */
    public int words() {
        return Math.min(LARGEST, SMALLEST << EEC_EE_SIZE.in(registers.read(EEC)));
    }

    /** Reads some words, each from 0 to 0xffff. */
    public int[] read(int from, int count) {
        check(from, count);
        int[] words = new int[count];
        for (int start = 0; start < count; start += BURST) {
            int first = start;
            int behind = Math.min(count, start + BURST);
            semaphore.withNvm(() -> {
                for (int i = first; i < behind; i++) {
                    words[i] = read(from + i);
                }
            });
        }
        return words;
    }

    private void check(int from, int count) {
        int words = words();
        if (from < 0 || count < 0 || from > words - count) {
            throw new DoorbellException(String.format(
                    "the NVM of %s has words 0x0 to 0x%x; there are no %d words from 0x%x on",
                    registers.nic(), words - 1, count, from));
        }
        if (from > REACHED_BY_EERD - count) {
            throw new DoorbellException(String.format(
                    "the NVM of %s has words 0x0 to 0x%x, but EERD reaches those below 0x%x only, not all of %d from 0x%x on",
                    registers.nic(), words - 1, REACHED_BY_EERD, count, from));
        }
    }

    private int read(int word) {
        registers.write(EERD, EERD_START.mask() | EERD_ADDR.of(word));
        BoundedWait.require(
                String.format("word 0x%x of the NVM of %s", word, registers.nic()),
                () -> EERD_DONE.isSetIn(registers.read(EERD)),
                LIMIT,
                () -> String.format("EERD=0x%08x, and DONE (bit 1) is clear", registers.read(EERD)));
        return EERD_DATA.in(registers.read(EERD));
    }

    /** Sums up each section. */
    public List<NvmChecksum> checksums() {
        return new NvmImage(model, words(), this::read).checksums();
    }

    /** What is known to mean something. */
    public List<NvmField> fields() {
        return new NvmImage(model, words(), this::read).fields();
    }
}
