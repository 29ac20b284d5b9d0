/**
 * What is rare and worth to know, as events of the Flight Recorder, in the category Doorbell: {@code java
 * -XX:StartFlightRecording:filename=x.jfr …} records them, {@code jfr print --categories Doorbell x.jfr} shows them.
 * While nothing records, they cost nothing: no frame and no poll on its usual path has anything to do with them.
 *
 * <p>Their names are those of the classes, behind {@code doorbell.}, and the names of their fields are part of the API. The
 * methods are for drivers.
 */
package io.doorbell.frame.event;
