package io.doorbell.frame;

/**
 * Something that some NICs can do and others cannot: an interface of {@link io.doorbell.frame.ability}. A NIC is asked for
 * it by its class ({@link Nic#ability}, {@link Nic#find}).
 *
 * <p>Any thread may use it at any time, as it may use the {@link Nic}. It outlives {@link Nic#close}, and throws a {@link
 * NicClosedException} then.
 */
public interface Ability {}
