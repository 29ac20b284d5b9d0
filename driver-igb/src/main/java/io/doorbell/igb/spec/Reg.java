package io.doorbell.igb.spec;

import java.util.List;

/**
 * A register, or an array of equal ones. How it may be accessed is its type: what is read-only cannot be written, and
 * what loses its value by being read is not read by accident.
 */
public sealed interface Reg {

    /** The data sheet's name. */
    String name();

    /** Of the first one, in bytes from the start of BAR 0. */
    int offset();

    /** Bytes from one to the next. */
    int stride();

    /** How many there are. */
    int count();

    /** Where the 82576 data sheet describes it. */
    String section();

    List<Field> fields();

    /** Offset of the register with this index. */
    default int at(int index) {
        if (index < 0 || index >= count()) {
            throw new IndexOutOfBoundsException(name() + " has indices 0 to " + (count() - 1) + ", not " + index);
        }
        return offset() + index * stride();
    }

    /** {@code RDT[3]}, or plain {@code CTRL}. */
    default String name(int index) {
        return count() == 1 ? name() : name() + "[" + index + "]";
    }

    /** Reading it changes nothing. */
    sealed interface SafeToRead extends Reg {}

    sealed interface Writable extends Reg {}

    record ReadOnly(String name, int offset, int stride, int count, String section, List<Field> fields)
            implements SafeToRead {}

    record ReadWrite(String name, int offset, int stride, int count, String section, List<Field> fields)
            implements SafeToRead, Writable {}

    record WriteOnly(String name, int offset, int stride, int count, String section, List<Field> fields)
            implements Writable {}

    /**
     * Reading it clears it.
     *
     * @param meaning what it counts, if it counts anything
     */
    record ReadClears(
            String name, int offset, int stride, int count, String section, List<Field> fields, String meaning)
            implements Reg {}
}
