/** nicctl: the command line, and how commands join it. */
package io.doorbell.tools;
