package io.doorbell.qemu;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * QEMU's control channel (QMP): commands with their replies, and events.
 *
 * <p>Threads take turns: a method returns before another thread's call begins. Events that arrive meanwhile are kept
 * until {@link #awaitEvent} asks for them. Every wait is bounded and fails with {@link QemuException}.
 */
public final class QmpClient implements AutoCloseable {

    private static final Duration REPLY = Duration.ofSeconds(30);
    private static final int READ_SIZE = 64 * 1024;

    /** Something that QEMU reports of its own accord, for example {@code DEVICE_DELETED}. */
    public record Event(String name, Map<String, Object> data) {}

    private final UnixChannel channel;
    private final Queue<Event> events = new ArrayDeque<>();
    private ByteBuffer input = ByteBuffer.allocate(READ_SIZE);

    /** Greets QEMU over a fresh connection, which this client owns from now on. */
    public QmpClient(UnixChannel channel) {
        this.channel = channel;
        Map<String, Object> greeting = nextMessage(REPLY, "greeting");
        if (!greeting.containsKey("QMP")) {
            throw channel.failure("this is no QMP greeting: " + greeting, null);
        }
        execute("qmp_capabilities");
    }

    /** Connects to a QEMU that listens, as {@code -qmp unix:PATH,server=on,wait=off} makes it. */
    public static QmpClient connect(Path socket) {
        return new QmpClient(UnixChannel.connect(socket, "QMP", () -> ""));
    }

    /** Executes a command without arguments and returns its result, which is empty for most. */
    public Object execute(String command) {
        return execute(command, Map.of());
    }

    /**
     * Executes a command.
     *
     * @return its result as JSON reads in Java: maps, lists, strings, numbers, booleans
     * @throws QemuException if QEMU answers with an error, which the message quotes
     */
    public synchronized Object execute(String command, Map<String, ?> arguments) {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("execute", command);
        if (!arguments.isEmpty()) {
            request.put("arguments", arguments);
        }
        send(request);
        while (true) {
            Map<String, Object> message = nextMessage(REPLY, "reply to " + command);
            Object result = message.get("return");
            if (result != null) {
                return result;
            }
            if (message.get("error") instanceof Map<?, ?> error) {
                throw channel.failure(command + " " + arguments + " refused: " + error.get("desc"), null);
            }
            keepEvent(message);
        }
    }

    /**
     * Waits for an event of that name, and takes it; the oldest first, those that came before this call included.
     *
     * @throws QemuException if {@code patience} is over
     */
    public synchronized Event awaitEvent(String name, Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            for (Iterator<Event> kept = events.iterator(); kept.hasNext(); ) {
                Event event = kept.next();
                if (event.name().equals(name)) {
                    kept.remove();
                    return event;
                }
            }
            keepEvent(nextMessage(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())), "event " + name));
        }
    }

    /** Plugs or unplugs the cable of a NIC, named by its {@code -device} id or its {@code -netdev} id. */
    public void setLink(String id, boolean up) {
        execute("set_link", Map.of("name", id, "up", up));
    }

    /** Plugs a device in; {@code properties} as with {@code -device}, among them {@code driver} and {@code id}. */
    public void deviceAdd(Map<String, ?> properties) {
        execute("device_add", properties);
    }

    /** Asks for a device to be unplugged; {@code DEVICE_DELETED} tells when it is gone. */
    public void deviceDel(String id) {
        execute("device_del", Map.of("id", id));
    }

    /** Asks QEMU to end. */
    public void quit() {
        execute("quit");
    }

    @Override
    public void close() {
        channel.close();
    }

    private void send(Map<String, Object> request) {
        try {
            byte[] line = (JSON.std.asString(request) + "\n").getBytes(StandardCharsets.UTF_8);
            channel.writeFully(ByteBuffer.wrap(line), REPLY);
        } catch (IOException e) {
            throw channel.failure(request + " is not JSON", e);
        }
    }

    private void keepEvent(Map<String, Object> message) {
        if (message.get("event") instanceof String name) {
            Map<String, Object> data = new LinkedHashMap<>();
            if (message.get("data") instanceof Map<?, ?> map) {
                map.forEach((key, value) -> data.put(String.valueOf(key), value));
            }
            events.add(new Event(name, data));
        }
    }

    private synchronized Map<String, Object> nextMessage(Duration patience, String what) {
        long deadline = System.nanoTime() + patience.toNanos();
        String line = takeLine();
        while (line == null) {
            if (!input.hasRemaining()) {
                input = ByteBuffer.allocate(2 * input.capacity()).put(input.flip());
            }
            channel.readSome(input, Duration.ofNanos(Math.max(0, deadline - System.nanoTime())), what);
            line = takeLine();
        }
        try {
            return JSON.std.mapFrom(line);
        } catch (IOException e) {
            throw channel.failure("QEMU sent what is not JSON: " + line, e);
        }
    }

    /** The first complete line of the input, taken out of it. */
    private @Nullable String takeLine() {
        for (int end = 0; end < input.position(); end++) {
            if (input.get(end) == '\n') {
                String line = new String(input.array(), 0, end, StandardCharsets.UTF_8);
                input.flip().position(end + 1);
                input.compact();
                return line;
            }
        }
        return null;
    }
}
