package io.doorbell.igb.vf;

import static io.doorbell.igb.vf.VfRegisters.*;

import io.doorbell.frame.MacAddress;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.Reg;
import io.doorbell.pci.Bar;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The registers of a virtual function, and behind the mailbox a port's driver that does what Linux's igb does: it reads a
 * request when it is made, acknowledges and answers it, and forgets the function when it is reset. Of the registers
 * besides, those that are written hold what was.
 */
final class FakePort extends Bar {

    static final int ACK = 0x8000_0000;
    static final int NACK = 0x4000_0000;
    static final int CTS = 0x2000_0000;
    static final int CONTROL = 0x0100;

    /** What was asked for: the first three words, as {@code 00020002 12005452 00005634}. */
    final List<String> requests = new CopyOnWriteArrayList<>();

    /** What to refuse, by the first word of the request. */
    final Set<Integer> refused = new HashSet<>();

    /** The station address that the administrator has given the function. */
    @Nullable
    MacAddress address = MacAddress.parse("02:00:00:00:00:07");

    /** Its driver is not there: it reads nothing. */
    boolean absent;
    /** It reads what is asked, and says nothing to it. */
    boolean mute;
    /** Its acknowledgement does not arrive. */
    boolean losesAcknowledgements;
    /** So many times it writes a message of its own over a request that it has not read. */
    int overwrites;
    /** It reads or writes, and does not come to an end. */
    boolean keepsBuffer;
    /** No device answers any more. */
    boolean gone;

    boolean link = true;
    boolean known;
    /** Messages of its own that the function has acknowledged, and answers. */
    int acknowledged;

    private final Map<Long, Integer> values = new HashMap<>();
    private int mailbox;

    synchronized void put(Reg reg, int value) {
        values.put((long) reg.at(0), value);
    }

    synchronized int peek(Reg reg) {
        return values.getOrDefault((long) reg.at(0), 0);
    }

    /** As when its interface is taken down: nothing is left of what was set up. */
    synchronized void goDown() {
        known = false;
        values.clear();
        mailbox = V2PMAILBOX_RSTI.mask();
    }

    synchronized void comeUp() {
        mailbox = V2PMAILBOX_RSTD.mask();
    }

    /** As {@link #goDown} and {@link #comeUp}, while nobody looked. */
    synchronized void blink() {
        goDown();
        comeUp();
    }

    /** It says by itself that something is new. */
    synchronized void ping() {
        say(CONTROL | (known ? CTS : 0));
    }

    private void say(int... words) {
        for (int i = 0; i < words.length; i++) {
            values.put((long) VMBMEM.at(i), words[i]);
        }
        mailbox |= V2PMAILBOX_PFSTS.mask();
    }

    @Override
    public long size() {
        return 16 << 10;
    }

    @Override
    public synchronized int read32(long offset) {
        if (gone) {
            return -1;
        }
        if (offset == V2PMAILBOX.offset()) {
            int now = mailbox;
            mailbox &= ~(V2PMAILBOX_PFSTS.mask() | V2PMAILBOX_PFACK.mask() | V2PMAILBOX_RSTD.mask());
            return now;
        }
        if (offset == STATUS.offset()) {
            return link
                    ? IgbRegisters.STATUS_LU.mask() | IgbRegisters.STATUS_FD.mask() | IgbRegisters.STATUS_SPEED.of(2)
                    : 0;
        }
        return values.getOrDefault(offset, 0);
    }

    @Override
    public synchronized void write32(long offset, int value) {
        if (offset == V2PMAILBOX.offset()) {
            writeMailbox(value);
        } else if (offset == CTRL.offset() && IgbRegisters.CTRL_RST.isSetIn(value)) {
            known = false;
            put(RXDCTL, 0);
            put(TXDCTL, 0);
        } else {
            if (offset >= VMBMEM.offset() && offset < VMBMEM.offset() + 64 && !V2PMAILBOX_VFU.isSetIn(mailbox)) {
                throw new AssertionError("a message was written into a buffer that was not taken");
            }
            values.put(offset, value);
        }
    }

    private void writeMailbox(int value) {
        mailbox &= ~V2PMAILBOX_VFU.mask();
        if (V2PMAILBOX_VFU.isSetIn(value) && !keepsBuffer) {
            mailbox |= V2PMAILBOX_VFU.mask();
        }
        if (V2PMAILBOX_ACK.isSetIn(value)) {
            acknowledged++;
        }
        if (V2PMAILBOX_REQ.isSetIn(value) && !absent && !V2PMAILBOX_RSTI.isSetIn(mailbox)) {
            if (overwrites > 0) {
                overwrites--;
                ping();
            } else {
                serve();
            }
        }
    }

    private void serve() {
        int[] words = new int[3];
        Arrays.setAll(words, i -> values.getOrDefault((long) VMBMEM.at(i), 0));
        requests.add(String.format("%08x %08x %08x", words[0], words[1], words[2]));
        if (!losesAcknowledgements) {
            mailbox |= V2PMAILBOX_PFACK.mask();
        }
        if (mute) {
            return;
        }
        if (words[0] == 1) {
            known = true;
            MacAddress given = address;
            if (given == null) {
                say(1 | NACK, 0, 0);
            } else {
                long wire = Long.reverseBytes(given.value()) >>> 16;
                say(1 | ACK, (int) wire, (int) (wire >>> 32));
            }
        } else if (!known) {
            say(words[0] | NACK);
        } else {
            say(words[0] | CTS | (refused.contains(words[0]) ? NACK : ACK));
        }
    }

    @Override
    public int read8(long offset) {
        throw new UnsupportedOperationException("the registers of an igb are 32 bits wide");
    }

    @Override
    public int read16(long offset) {
        throw new UnsupportedOperationException("the registers of an igb are 32 bits wide");
    }

    @Override
    public void write8(long offset, int value) {
        throw new UnsupportedOperationException("the registers of an igb are 32 bits wide");
    }

    @Override
    public void write16(long offset, int value) {
        throw new UnsupportedOperationException("the registers of an igb are 32 bits wide");
    }
}
