/** One open port: its set-up, its life, and what it can do beyond moving frames. */
package io.doorbell.igb.nic;
