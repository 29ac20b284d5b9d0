/** The machine that commands work on, as Linux shows it. */
package io.doorbell.tools.host;
