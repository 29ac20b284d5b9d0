package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;
import java.util.List;

/** Reading all registers. */
public interface RegisterDump extends Ability {

    /** All registers that the driver declares, in the order of the data sheet. Changes nothing in the device. */
    List<RegisterValue> registers();
}
