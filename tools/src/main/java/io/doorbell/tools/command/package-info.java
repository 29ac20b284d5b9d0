/** One class a subcommand of nicctl. */
package io.doorbell.tools.command;
