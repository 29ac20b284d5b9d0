package io.doorbell.qemu.qtest;

import io.doorbell.qemu.UnixChannel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.BitSet;
import java.util.HexFormat;

/**
 * QEMU's qtest protocol: the accesses of a processor, one a line, without a processor.
 *
 * <p>Writes are posted, as on a bus: they leave at once, but their replies are collected later, before the next read at
 * the latest. Accesses take effect in the order in which they were made. Any thread may use it; accesses are serialised.
 */
final class QtestClient implements AutoCloseable {

    private static final Duration REPLY = Duration.ofSeconds(30);
    private static final int BUFFER_SIZE = 64 * 1024;

    /**
     * How many replies may wait in the socket. However short, each takes up some 800 bytes of the 200 KiB that the kernel
     * grants by default; beyond that QEMU would block on writing them, and this client on QEMU.
     */
    private static final int MAX_POSTED = 128;

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private final UnixChannel channel;
    private final ByteBuffer request = ByteBuffer.allocateDirect(BUFFER_SIZE);
    private final ByteBuffer input = ByteBuffer.allocateDirect(BUFFER_SIZE).limit(0);
    private final BitSet raised = new BitSet();

    /** The line that was read last, without its newline. */
    private final byte[] line = new byte[BUFFER_SIZE];

    private int lineLength;
    private int posted;

    /** Takes over a connection that {@code -qtest} made. */
    QtestClient(UnixChannel channel) {
        this.channel = channel;
    }

    int readb(long address) {
        return (int) load("readb ", address);
    }

    int readw(long address) {
        return (int) load("readw ", address);
    }

    int readl(long address) {
        return (int) load("readl ", address);
    }

    long readq(long address) {
        return load("readq ", address);
    }

    void writeb(long address, int value) {
        store("writeb ", address, value & 0xFFL);
    }

    void writew(long address, int value) {
        store("writew ", address, value & 0xFFFFL);
    }

    void writel(long address, int value) {
        store("writel ", address, value & 0xFFFF_FFFFL);
    }

    void writeq(long address, long value) {
        store("writeq ", address, value);
    }

    int inb(int port) {
        return (int) load("inb ", port);
    }

    int inw(int port) {
        return (int) load("inw ", port);
    }

    int inl(int port) {
        return (int) load("inl ", port);
    }

    void outb(int port, int value) {
        store("outb ", port, value & 0xFFL);
    }

    void outw(int port, int value) {
        store("outw ", port, value & 0xFFFFL);
    }

    void outl(int port, int value) {
        store("outl ", port, value & 0xFFFF_FFFFL);
    }

    /** Reads {@code length} bytes of physical memory; at most 16 KiB. */
    synchronized byte[] read(long address, int length) {
        String reply = command("read 0x" + Long.toHexString(address) + " 0x" + Integer.toHexString(length));
        return HexFormat.of().parseHex(reply.substring("0x".length()));
    }

    /** Writes bytes into physical memory; at most 16 KiB. */
    synchronized void write(long address, byte[] bytes) {
        command("write 0x" + Long.toHexString(address) + " 0x" + Integer.toHexString(bytes.length) + " 0x"
                + HexFormat.of().formatHex(bytes));
    }

    /**
     * From now on reports interrupts that arrive at a device, instead of delivering them.
     *
     * @param path of the device in QEMU's object tree, for example {@code ioapic}
     */
    synchronized void interceptInterrupts(String path) {
        command("irq_intercept_in " + path);
    }

    /** Level of an intercepted interrupt line, after everything that was written before. */
    synchronized boolean interruptRaised(int number) {
        collectPosted();
        return raised.get(number);
    }

    /** Waits until every write has taken effect. */
    synchronized void collectPosted() {
        for (; posted > 0; posted--) {
            readReply("a posted write");
        }
    }

    @Override
    public void close() {
        channel.close();
    }

    private synchronized long load(String verb, long address) {
        send(verb, address);
        collectPosted();
        readReply(verb);
        return replyNumber();
    }

    private synchronized void store(String verb, long address, long value) {
        if (posted == MAX_POSTED) {
            collectPosted();
        }
        request.clear();
        putWord(verb);
        putHex(address);
        putWord(" ");
        putHex(value);
        send();
        posted++;
    }

    /** Sends a line, and returns what follows "OK " in its reply. */
    private String command(String text) {
        request.clear();
        putWord(text);
        send();
        collectPosted();
        readReply(text);
        return lineText().substring(Math.min(lineLength, "OK ".length()));
    }

    private void send(String verb, long address) {
        request.clear();
        putWord(verb);
        putHex(address);
        send();
    }

    private void send() {
        request.put((byte) '\n').flip();
        channel.writeFully(request, REPLY);
    }

    private void putWord(String word) {
        for (int i = 0; i < word.length(); i++) {
            request.put((byte) word.charAt(i));
        }
    }

    private void putHex(long value) {
        request.put((byte) '0').put((byte) 'x');
        int bits = Math.max(4, Long.SIZE - Long.numberOfLeadingZeros(value) + 3 & ~3);
        for (int shift = bits - 4; shift >= 0; shift -= 4) {
            request.put(HEX[(int) (value >>> shift) & 0xF]);
        }
    }

    /** Reads the next reply into {@link #line}; interrupts that are reported before it are noted on the way. */
    private void readReply(String what) {
        readLine(what);
        while (startsWith("IRQ ")) {
            noteInterrupt();
            readLine(what);
        }
        if (!startsWith("OK")) {
            throw channel.failure(what.strip() + " was refused: " + lineText(), null);
        }
    }

    private void readLine(String what) {
        lineLength = 0;
        while (true) {
            while (input.hasRemaining()) {
                byte next = input.get();
                if (next == '\n') {
                    return;
                }
                line[lineLength++] = next;
            }
            input.clear();
            channel.readSome(input, REPLY, what);
            input.flip();
        }
    }

    private boolean startsWith(String prefix) {
        for (int i = 0; i < prefix.length(); i++) {
            if (i == lineLength || line[i] != prefix.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** "IRQ raise 20" or "IRQ lower 20". */
    private void noteInterrupt() {
        String[] words = lineText().split(" ", 3);
        raised.set(Integer.parseInt(words[2]), words[1].equals("raise"));
    }

    /** The number in "OK 0x0123456789abcdef". */
    private long replyNumber() {
        long value = 0;
        for (int i = "OK 0x".length(); i < lineLength; i++) {
            value = value << 4 | Character.digit(line[i], 16);
        }
        return value;
    }

    private String lineText() {
        return new String(line, 0, lineLength, StandardCharsets.US_ASCII);
    }
}
