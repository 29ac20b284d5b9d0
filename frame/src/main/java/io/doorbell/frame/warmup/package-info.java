/**
 * Warming up an application's loop before its NIC is opened. A fresh JVM interprets, and a ring overflows meanwhile: {@link
 * io.doorbell.frame.warmup.WarmUp}. The rest is what a driver simulates its device with.
 */
package io.doorbell.frame.warmup;
