package io.doorbell.tools.command;

import static io.doorbell.tools.text.Table.text;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.Nvm;
import io.doorbell.frame.ability.NvmChecksum;
import io.doorbell.frame.ability.NvmField;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.Table;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl nvm}: the memory that a NIC loads its defaults from. */
@Command(
        name = "nvm",
        header = "Shows the EEPROM or flash of a NIC, decoded, and checks it.",
        description = {
            "Opens a NIC that is bound to vfio-pci, which resets and starts it, and reads the memory that the NIC loads its"
                    + " defaults from: whether its checksums are right, what it says of the NIC, and its words.",
            "It is read only, never written."
        })
public final class NvmCommand implements Callable<Integer> {

    private static final int WORDS_A_LINE = 8;
    private static final Pattern RANGE =
            Pattern.compile("(0[xX]\\p{XDigit}{1,6}|\\d{1,7})-(0[xX]\\p{XDigit}{1,6}|\\d{1,7})");

    private final Context context;

    @Parameters(paramLabel = "ADDRESS", description = "PCI address of a NIC that is bound to vfio-pci.")
    private String address = "";

    @Option(
            names = "--words",
            paramLabel = "FROM-TO",
            description = "Which words to show, such as 0x40-0x7f or 0-255; by default, those with checksums.")
    private String words = "";

    @Option(names = "--json", description = "Prints one object.")
    private boolean json;

    public NvmCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Range range = words.isEmpty() ? null : Range.parse(words);
        try (Nic nic = context.open(address)) {
            Nvm nvm = nic.ability(Nvm.class);
            List<NvmChecksum> checksums = nvm.checksums();
            Range shown = range != null
                    ? range
                    : new Range(
                            0,
                            checksums.stream().mapToInt(NvmChecksum::to).max().orElse(0));
            show(nic, nvm.fields(), checksums, shown.from(), nvm.read(shown.from(), shown.count()));
        }
        return 0;
    }

    private void show(Nic nic, List<NvmField> fields, List<NvmChecksum> checksums, int from, int[] contents) {
        int size = nic.ability(Nvm.class).words();
        if (json) {
            context.printJson(Json.object(
                    "address", nic.name(),
                    "model", nic.model(),
                    "size", size,
                    "checksums", checksums.stream().map(NvmCommand::json).toList(),
                    "fields", fields.stream().map(NvmCommand::json).toList(),
                    "from", from,
                    "words", IntStream.of(contents).boxed().toList()));
            return;
        }
        context.print(nic.name() + ", " + nic.model() + ": " + size + " words");
        checksums.forEach(sum -> context.print(verdict(sum)));
        context.print("");
        Table table = new Table(text("FIELD"), text("WORD"), text("VALUE"));
        fields.forEach(field -> table.row(field.name(), String.format("0x%02x", field.word()), field.value()));
        context.console().out().print(table);
        context.print("");
        for (int i = 0; i < contents.length; i += WORDS_A_LINE) {
            StringBuilder line = new StringBuilder(String.format("0x%04x ", from + i));
            for (int j = i; j < Math.min(contents.length, i + WORDS_A_LINE); j++) {
                line.append(String.format(" %04x", contents[j]));
            }
            context.print(line.toString());
        }
    }

    static String verdict(NvmChecksum sum) {
        String what = String.format("Checksum of %s, words 0x%02x to 0x%02x: ", sum.covers(), sum.from(), sum.to());
        return what
                + (sum.valid()
                        ? "valid"
                        : String.format(
                                "WRONG, the sum is 0x%04x and not 0x%04x: the words are damaged, or were never written",
                                sum.sum(), sum.expected()));
    }

    private static Object json(NvmChecksum sum) {
        return Json.object(
                "covers", sum.covers(),
                "from", sum.from(),
                "to", sum.to(),
                "sum", sum.sum(),
                "expected", sum.expected(),
                "valid", sum.valid());
    }

    private static Object json(NvmField field) {
        return Json.object("name", field.name(), "word", field.word(), "value", field.value());
    }

    /** Both ends are part of it. */
    private record Range(int from, int to) {

        static Range parse(String words) {
            Matcher matcher = RANGE.matcher(words);
            if (!matcher.matches()) {
                throw new DoorbellException(
                        "--words takes two numbers, such as 0x40-0x7f or 0-255, not '" + words + "'");
            }
            Range range = new Range(number(matcher.group(1)), number(matcher.group(2)));
            if (range.from > range.to) {
                throw new DoorbellException("--words " + words + " ends before it starts: turn it round");
            }
            return range;
        }

        /** Digits without a prefix are decimal, also behind a zero. */
        private static int number(String text) {
            return text.startsWith("0x") || text.startsWith("0X")
                    ? Integer.parseInt(text.substring(2), 16)
                    : Integer.parseInt(text);
        }

        int count() {
            return to - from + 1;
        }
    }
}
