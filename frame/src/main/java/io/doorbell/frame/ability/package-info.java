/** What some NICs can do and others cannot, grouped as ethtool has it: {@link io.doorbell.frame.Nic#ability}. */
package io.doorbell.frame.ability;
