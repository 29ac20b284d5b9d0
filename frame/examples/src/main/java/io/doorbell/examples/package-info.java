/** Applications of the frame API, in one file each. */
package io.doorbell.examples;
