/** Tests of a device that is out of service: each says what is wrong, or that nothing is. */
package io.doorbell.igb.selftest;
