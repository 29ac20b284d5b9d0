@org.jspecify.annotations.NullMarked
package io.doorbell.frame.waiting;
