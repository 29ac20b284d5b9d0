package io.doorbell.tools.text;

import io.doorbell.DoorbellException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A failure with more to tell than fits a message, such as all that a virtual machine printed: a file keeps that. */
public final class LongStory {

    private static final int MOST = 300;

    private LongStory() {}

    /** The failure itself if its message is a line; else one that has the first line and says where the others are. */
    public static DoorbellException shorten(DoorbellException failure) {
        String story = String.valueOf(failure.getMessage());
        String first = story.lines().findFirst().orElse("");
        if (first.length() == story.length() && story.length() <= MOST) {
            return failure;
        }
        String beginning = first.length() <= MOST ? first : first.substring(0, MOST) + "…";
        try {
            Path file = Files.createTempFile("doorbell-", ".log");
            Files.writeString(file, story + "\n");
            return new DoorbellException(beginning + "; all that is known is in " + file, failure);
        } catch (IOException e) {
            failure.addSuppressed(e);
            return failure; // rather too long a message than none
        }
    }
}
