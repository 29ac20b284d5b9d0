package io.doorbell.igb.vf;

import static io.doorbell.igb.vf.VfRegisters.V2PMAILBOX;
import static io.doorbell.igb.vf.VfRegisters.V2PMAILBOX_ACK;
import static io.doorbell.igb.vf.VfRegisters.V2PMAILBOX_PFACK;
import static io.doorbell.igb.vf.VfRegisters.V2PMAILBOX_PFSTS;
import static io.doorbell.igb.vf.VfRegisters.V2PMAILBOX_REQ;
import static io.doorbell.igb.vf.VfRegisters.V2PMAILBOX_RSTD;
import static io.doorbell.igb.vf.VfRegisters.V2PMAILBOX_RSTI;
import static io.doorbell.igb.vf.VfRegisters.V2PMAILBOX_VFU;
import static io.doorbell.igb.vf.VfRegisters.VMBMEM;

import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.Field;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The buffer of sixteen words by which a virtual function and the driver of its port talk (82576 data sheet, 7.8 and 8.14).
 * Either side has it to itself while it reads or writes. The virtual function asks, and the port answers with the request's
 * type and ACK or NACK; and it says something by itself when its link changes, or when it is about to be reset.
 *
 * <p>An answer is waited for, not the acknowledgement that precedes it: a port that answers has read the request. For one
 * thread at a time.
 */
final class VfMailbox {

    /** In an answer: it is done. */
    static final int ACK = 1 << 31;

    /** In an answer: it is refused. */
    static final int NACK = 1 << 30;

    /** In what the port says: it has not been reset since this virtual function made itself known. */
    static final int CLEAR_TO_SEND = 1 << 29;

    /** The type of what the port says by itself. */
    static final int CONTROL_MESSAGE = 0x0100;

    private static final int TYPE = 0xffff;

    /** A request is lost where the port writes into the buffer before it has read: it is made again then. */
    private static final int ATTEMPTS = 3;

    /** In which the port has read or written sixteen words, even where its processor is an emulated one. */
    private static final Duration FOR_THE_BUFFER = Duration.ofMillis(500);

    private final RegisterFile registers;
    private final Duration patience;

    /** What reading has cleared and nobody has looked for yet. */
    private int latched;

    private boolean known;

    /** @param patience how long to wait for an answer */
    VfMailbox(RegisterFile registers, Duration patience) {
        this.registers = registers;
        this.patience = patience;
    }

    /**
     * Whether the port knows this virtual function, as far as has been seen: it does so from {@link #introduce} on, until
     * it is reset.
     */
    boolean isKnown() {
        return known;
    }

    /** The port is being reset, or was not started yet. */
    boolean isPortInReset() {
        return V2PMAILBOX_RSTI.isSetIn(control());
    }

    /**
     * As {@link #ask}, for the request that makes this virtual function known; from then on a reset of the port counts that
     * has not been seen before.
     */
    int[] introduce(int words, int... request) {
        take(V2PMAILBOX_RSTD);
        known = false;
        int[] answer = exchange(words, request);
        known = true;
        return answer;
    }

    /**
     * Asks for something.
     *
     * @param words how many of the answer are wanted
     * @param request its type is in the low half of the first word
     * @return the answer, with ACK or NACK in the first word
     * @throws PortSilentException when there is none, or the port does not know us
     */
    int[] ask(int words, int... request) {
        int[] answer = exchange(words, request);
        if ((answer[0] & CLEAR_TO_SEND) == 0) {
            known = false;
            throw silent(String.format("it was reset, and refuses request 0x%08x with 0x%08x", request[0], answer[0]));
        }
        return answer;
    }

    private int[] exchange(int words, int[] request) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            post(request);
            Exchange now = new Exchange(request[0], words);
            BoundedWait.until(now::isOver, patience);
            int[] answer = now.answer;
            if (answer != null) {
                return answer;
            }
            if (!now.disturbed) {
                break;
            }
        }
        boolean read = take(V2PMAILBOX_PFACK);
        known = false;
        throw silent(String.format(
                "it has %s request 0x%08x (V2PMAILBOX=0x%02x)",
                read ? "read and not answered" : "not even read", request[0], control()));
    }

    /** One request, until there is an answer to it or there cannot be one. */
    private final class Exchange {

        private final int request;
        private final int words;
        private int @Nullable [] answer;
        /** The port has written something else, perhaps over the request. */
        private boolean disturbed;

        Exchange(int request, int words) {
            this.request = request;
            this.words = words;
        }

        boolean isOver() {
            if (isPortInReset()) {
                return true;
            }
            if (!take(V2PMAILBOX_PFSTS)) {
                return false;
            }
            int[] message = read(words);
            boolean answers = (message[0] & (ACK | NACK)) != 0;
            if (answers && (message[0] & TYPE) == (request & TYPE)) {
                answer = message;
                return true;
            }
            disturbed = true;
            return answers; // to what it has found in place of the request
        }
    }

    /** Reads what the port says by itself, if it does, and whether it is being reset or has been. */
    void listen() {
        boolean wasReset = take(V2PMAILBOX_RSTD);
        if (wasReset || isPortInReset()) {
            known = false;
        }
        if (take(V2PMAILBOX_PFSTS) && (read(1)[0] & CLEAR_TO_SEND) == 0) {
            known = false;
        }
    }

    private void post(int[] request) {
        lock();
        take(V2PMAILBOX_PFACK); // of an earlier request
        take(V2PMAILBOX_PFSTS); // of a message that is overwritten now
        for (int i = 0; i < request.length; i++) {
            registers.write(VMBMEM, i, request[i]);
        }
        registers.write(V2PMAILBOX, V2PMAILBOX_REQ.mask()); // and VFU is clear: the port may have the buffer
    }

    private int[] read(int words) {
        lock();
        int[] message = new int[words];
        for (int i = 0; i < words; i++) {
            message[i] = registers.read(VMBMEM, i);
        }
        registers.write(V2PMAILBOX, V2PMAILBOX_ACK.mask()); // as in post
        return message;
    }

    /** Takes the buffer from the port, which keeps it for as long as it reads or writes. */
    private void lock() {
        boolean ours = BoundedWait.until(
                () -> {
                    registers.write(V2PMAILBOX, V2PMAILBOX_VFU.mask());
                    return V2PMAILBOX_VFU.isSetIn(control());
                },
                FOR_THE_BUFFER);
        if (!ours) {
            known = false;
            throw silent(String.format("it keeps the mailbox to itself (V2PMAILBOX=0x%02x)", control()));
        }
    }

    private PortSilentException silent(String seen) {
        return new PortSilentException(registers.nic(), seen);
    }

    /** Whether a bit has been set that a read clears; it is not from then on. */
    private boolean take(Field bit) {
        boolean set = bit.isSetIn(control());
        latched &= ~bit.mask();
        return set;
    }

    /** Reads the register, and keeps what that clears. */
    private int control() {
        int now = registers.read(V2PMAILBOX);
        latched |= now & (V2PMAILBOX_PFSTS.mask() | V2PMAILBOX_PFACK.mask() | V2PMAILBOX_RSTD.mask());
        return now | latched;
    }
}
