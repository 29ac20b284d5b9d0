package io.doorbell.igb.led;

import static io.doorbell.igb.spec.IgbRegisters.EEC;
import static io.doorbell.igb.spec.IgbRegisters.EEC_EE_PRES;
import static io.doorbell.igb.spec.IgbRegisters.LEDCTL;
import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.igb.nvm.IgbNvm;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IgbLedTest {

    private static final int BEFORE = 0x07068302;

    private final RecordingBar bar = new RecordingBar();

    private IgbLed led(IgbModel model) {
        RegisterFile registers = new RegisterFile("test", bar);
        return new IgbLed(registers, model, new IgbNvm(registers, model));
    }

    private void boardSays(int word) {
        bar.put(EEC, EEC_EE_PRES.mask());
        bar.nvm = new int[64];
        bar.nvm[4] = word;
    }

    /** One LED a byte, one setting four bits: on while the port is looked for 2, 5 and 8, off 3, 6 and 9. */
    @ParameterizedTest
    @CsvSource({
        "1112, 07068302, 0706838e", // the first
        "1151, 07068302, 07068e02", // the second is on only while it is inverted: 0x83 has BLINK, not IVRT
        "8111, 07068302, 8e068302",
        "2222, 07060300, 8e8e8e8e",
        "3333, 07060300, 0f0f0f0f",
        "8963, 47464742, 0e8e8e8e", // all inverted
        "1115, 07068342, 0706830e", // lit where it is inverted: no blinking, and no other LED to blink
        "0000, 07068302, 8e0f8302", // the board does not say
        "ffff, 07068302, 8e0f8302",
        "1111, 07068302, 8e0f8302", // says that none is to change
        "4747, 07068302, 8e0f8302"
    })
    void blinksWhatTheBoardSays(String word, String before, String meanwhile) {
        boardSays(Integer.parseInt(word, 16));
        bar.put(LEDCTL, Integer.parseUnsignedInt(before, 16));
        led(IgbModel.I82576).blink();
        assertThat(String.format("%08x", bar.peek(LEDCTL))).isEqualTo(meanwhile);
    }

    @ParameterizedTest
    @CsvSource({"I210, 078e830f", "I211, 078e830f"})
    void knowsTheLedsOfABoardWithoutNvm(IgbModel model, String meanwhile) {
        bar.put(EEC, 0);
        bar.put(LEDCTL, BEFORE);
        led(model).blink();
        assertThat(String.format("%08x", bar.peek(LEDCTL))).isEqualTo(meanwhile);
    }

    @Test
    void restoresThemHoweverOftenItWasTold() {
        boardSays(0x8911);
        bar.put(LEDCTL, BEFORE);
        IgbLed led = led(IgbModel.I82580);
        led.blink();
        led.blink();
        led.restore();
        assertThat(bar.peek(LEDCTL)).isEqualTo(BEFORE);
        bar.put(LEDCTL, 1);
        led.restore();
        led.apply();
        assertThat(bar.peek(LEDCTL)).isEqualTo(1);
    }

    @Test
    void goesOnAfterAResetAndRestoresWhatWasBefore() {
        boardSays(0x8911);
        bar.put(LEDCTL, BEFORE);
        IgbLed led = led(IgbModel.I82576);
        led.blink();
        bar.put(LEDCTL, 0x01020304);
        led.apply();
        assertThat(bar.peek(LEDCTL)).isEqualTo(0x8E0F8302);
        led.restore();
        assertThat(bar.peek(LEDCTL)).isEqualTo(BEFORE);
    }
}
