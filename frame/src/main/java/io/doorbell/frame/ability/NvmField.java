package io.doorbell.frame.ability;

/**
 * What some words of a NIC's memory mean.
 *
 * @param name for a person, such as {@code PBA number}
 * @param word the first of them
 * @param value as it is usually written; where the words hold none, why
 */
public record NvmField(String name, int word, String value) {}
