package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Ability;
import java.util.List;

/**
 * Reading the memory that the device loads its defaults from when it is switched on or reset: an EEPROM or a flash. It is made of
 * words of 16 bits. Reading it disturbs no traffic, and changes nothing.
 */
public interface Nvm extends Ability {

    /** How many words there are. */
    int words();

    /**
     * Reads {@code count} words.
     *
     * @param from the first, counted from 0
     * @return each from 0 to 0xffff
     * @throws DoorbellException when there are fewer, or the device does not read one
     */
    int[] read(int from, int count);

    /** Sums up what is covered by checksums. */
    List<NvmChecksum> checksums();

    /** What of its words is known to mean something, as far as the device's data sheet says so. */
    List<NvmField> fields();
}
