/** What a driver implements, and what drivers share. Not for applications. */
package io.doorbell.frame.spi;
