package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What one NIC can do beyond moving frames, and why it cannot do the rest. Immutable. */
public final class Abilities {

    private final String nic;
    private final Map<Class<? extends Ability>, Ability> present;
    private final Map<Class<? extends Ability>, String> whyNot;

    private Abilities(
            String nic, Map<Class<? extends Ability>, Ability> present, Map<Class<? extends Ability>, String> whyNot) {
        this.nic = nic;
        this.present = present;
        this.whyNot = whyNot;
    }

    /**
     * For drivers: no abilities so far.
     *
     * @param nic its name, for messages
     */
    public static Abilities of(String nic) {
        return new Abilities(nic, Map.of(), Map.of());
    }

    /** For drivers: these and one more, which replaces an earlier one of this type. */
    public <A extends Ability> Abilities with(Class<A> type, A ability) {
        Map<Class<? extends Ability>, Ability> more = new LinkedHashMap<>(present);
        more.put(type, ability);
        return new Abilities(nic, more, whyNot);
    }

    /**
     * For drivers: these, and the reason why one is not among them.
     *
     * @param reason continues {@code "NIC has no TYPE: "} and ends with the way out
     */
    public Abilities without(Class<? extends Ability> type, String reason) {
        Map<Class<? extends Ability>, String> more = new LinkedHashMap<>(whyNot);
        more.put(type, reason);
        return new Abilities(nic, present, more);
    }

    /** The ability of a type, if the NIC has it. */
    public <A extends Ability> Optional<A> find(Class<A> type) {
        return Optional.ofNullable(type.cast(present.get(type)));
    }

    /**
     * The ability of a type.
     *
     * @throws DoorbellException when the NIC has it not; the message says why, and what it has
     */
    public <A extends Ability> A require(Class<A> type) {
        return find(type)
                .orElseThrow(
                        () -> new DoorbellException(nic + " has no " + type.getSimpleName() + ": " + whyNot(type)));
    }

    /** The types of all that the NIC has. */
    public Set<Class<? extends Ability>> types() {
        return Set.copyOf(present.keySet());
    }

    private String whyNot(Class<? extends Ability> type) {
        String reason = whyNot.get(type);
        return reason != null ? reason : "its driver has " + (present.isEmpty() ? "no abilities" : this);
    }

    /** The names of the types, in alphabetical order. */
    @Override
    public String toString() {
        return present.keySet().stream()
                .map(Class::getSimpleName)
                .collect(Collectors.toCollection(TreeSet::new))
                .stream()
                .collect(Collectors.joining(", "));
    }
}
