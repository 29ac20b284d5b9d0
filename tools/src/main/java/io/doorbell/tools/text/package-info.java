/** How results, progress and failures are written, for people and for machines. */
package io.doorbell.tools.text;
