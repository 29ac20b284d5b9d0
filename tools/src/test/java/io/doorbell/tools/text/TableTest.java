package io.doorbell.tools.text;

import static io.doorbell.tools.text.Table.number;
import static io.doorbell.tools.text.Table.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TableTest {

    @Test
    void alignsWordsLeftAndNumbersRight() {
        Table table = new Table(text("NIC"), number("FRAMES"), text("LINK"))
                .row("igb", 1_234_567, "up")
                .row("virtio-net", 8L, "down");

        assertThat(table).hasToString("""
                NIC            FRAMES  LINK
                igb         1,234,567  up
                virtio-net          8  down
                """);
    }

    @Test
    void showsADashForWhatIsNotKnownAndLeavesNoSpaceAtTheEndOfALine() {
        Table table = new Table(text("NAME"), number("GROUP"), text("DRIVER"))
                .row("", null, "")
                .row("a", 1, "igb");

        assertThat(table).hasToString("""
                NAME  GROUP  DRIVER
                -         -  -
                a         1  igb
                """);
    }

    @Test
    void showsItsHeadingEvenWithoutRows() {
        assertThat(new Table(text("A"), number("B"))).hasToString("A  B\n");
    }

    @Test
    void refusesARowThatDoesNotFitItsColumns() {
        Table table = new Table(text("A"), text("B"));

        assertThatThrownBy(() -> table.row("only one"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 cells for 2 columns");
    }
}
