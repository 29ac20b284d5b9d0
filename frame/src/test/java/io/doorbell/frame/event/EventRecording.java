package io.doorbell.frame.event;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** What the Flight Recorder gets to know of Doorbell. */
public final class EventRecording implements AutoCloseable {

    private static final String PREFIX = "doorbell.";

    private final Recording recording = new Recording();
    private final Path file;

    /**
     * Starts to record.
     *
     * @param folder for its file
     */
    public EventRecording(Path folder) {
        file = folder.resolve("doorbell.jfr");
        recording.start();
    }

    /** Where it is, once it was read. */
    public Path file() {
        return file;
    }

    /** Ends it, and returns what happened, in the order of the beginnings. */
    public List<RecordedEvent> read() {
        try {
            recording.stop();
            recording.dump(file);
            return RecordingFile.readAllEvents(file).stream()
                    .filter(event -> event.getEventType().getName().startsWith(PREFIX))
                    .sorted(Comparator.comparing(RecordedEvent::getStartTime))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Those of one type, such as {@code NicOpen}. */
    public static List<RecordedEvent> only(String type, List<RecordedEvent> events) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals(PREFIX + type))
                .toList();
    }

    @Override
    public void close() {
        recording.close();
    }
}
