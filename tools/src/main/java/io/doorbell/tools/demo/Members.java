package io.doorbell.tools.demo;

import io.doorbell.tools.text.Json;
import java.util.Map;
import java.util.Objects;

/** What one half of a demo has told the other in an object of JSON, by name; what is missing is a defect. */
record Members(Map<String, Object> all) {

    static Members of(String json) {
        return new Members(Json.read(json));
    }

    long number(String name) {
        return ((Number) get(name)).longValue();
    }

    double fraction(String name) {
        return ((Number) get(name)).doubleValue();
    }

    boolean flag(String name) {
        return (Boolean) get(name);
    }

    String text(String name) {
        return get(name).toString();
    }

    @SuppressWarnings("unchecked")
    Members object(String name) {
        return new Members((Map<String, Object>) get(name));
    }

    private Object get(String name) {
        return Objects.requireNonNull(all.get(name), name);
    }
}
