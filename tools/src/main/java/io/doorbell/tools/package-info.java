/** nicctl: one class a subcommand. */
package io.doorbell.tools;
