package io.doorbell.igb.led;

import static io.doorbell.igb.spec.IgbRegisters.LEDCTL;

import io.doorbell.igb.nvm.IgbNvm;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;

/**
 * Blinks by LEDCTL. A device has four LEDs, of which a board may have fewer: which of them is lit for a port that is looked for
 * says a word of its NVM.
 */
public final class IgbLed {

    private static final int LEDS = 4;

    // A LED's byte in LEDCTL
    private static final int MODE_ON = 0xE;
    private static final int MODE_OFF = 0xF;
    private static final int INVERTED = 1 << 6;
    private static final int BLINK = 1 << 7;

    /** The word of the NVM that says what each LED is to be like while its port is looked for. */
    private static final int SETTINGS = 0x04;

    private static final int ERASED = 0xFFFF;

    private final RegisterFile registers;
    private final IgbModel model;
    private final IgbNvm nvm;
    /** LEDCTL, while it blinks. */
    private int before;

    private int meanwhile;
    private boolean blinking;

    public IgbLed(RegisterFile registers, IgbModel model, IgbNvm nvm) {
        this.registers = registers;
        this.model = model;
        this.nvm = nvm;
    }

    /** Does nothing where it blinks already. */
    public void blink() {
        if (!blinking) {
            before = registers.read(LEDCTL);
            meanwhile = blinking(before);
            blinking = true;
            apply();
        }
    }

    /** Has it be as it was. Does nothing where it does not blink. */
    public void restore() {
        if (blinking) {
            blinking = false;
            registers.write(LEDCTL, before);
        }
    }

    /** As after a reset, which has the LEDs as the NVM says. */
    public void apply() {
        if (blinking) {
            registers.write(LEDCTL, meanwhile);
        }
    }

    private int blinking(int ledctl) {
        int blinking = set(ledctl, settings());
        return blinking == ledctl ? set(ledctl, model.leds()) : blinking;
    }

    private int settings() {
        if (nvm.whyNot().isPresent()) {
            return model.leds();
        }
        int word = nvm.read(SETTINGS, 1)[0];
        return word == 0 || word == ERASED ? model.leds() : word;
    }

    private static int set(int ledctl, int settings) {
        int changed = ledctl;
        for (int led = 0; led < LEDS; led++) {
            int shift = 8 * led;
            int mode = mode((settings >>> (4 * led)) & 0xF);
            if (mode != 0) {
                boolean inverted = ((ledctl >>> shift) & INVERTED) != 0;
                // The device blinks only what is on.
                int lit = mode == (inverted ? MODE_OFF : MODE_ON) ? MODE_ON | BLINK : mode;
                changed = (changed & ~(0xFF << shift)) | (lit << shift);
            }
        }
        return changed;
    }

    /** Of nine settings, which are for two things, on is three and off is three; 0 where a LED is left as it is. */
    private static int mode(int setting) {
        return switch (setting) {
            case 2, 5, 8 -> MODE_ON;
            case 3, 6, 9 -> MODE_OFF;
            default -> 0;
        };
    }
}
