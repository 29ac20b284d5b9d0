package io.doorbell.tools;

import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.host.Program;
import io.doorbell.tools.text.CapturedConsole;
import io.doorbell.tools.text.Json;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Runs several command lines of {@code nicctl} in one JVM, since starting one is what takes long in a guest. A line that
 * begins with {@code $} is for the shell, and for the lab's own programs.
 */
final class GuestScript {

    private GuestScript() {}

    /** How a command line ended. */
    record Outcome(String line, int status, String out, String err) {

        static Outcome parse(String json) {
            Map<String, Object> members = Json.read(json);
            return new Outcome(
                    (String) members.get("line"), (int) members.get("status"), (String) members.get("out"), (String)
                            members.get("err"));
        }
    }

    public static void main(String[] lines) {
        for (String line : lines) {
            if (line.startsWith("$ ")) {
                Program.run(GuestMachine.tool("sh"), "-c", "PATH=" + GuestMachine.TOOLS + "; " + line.substring(2));
                continue;
            }
            CapturedConsole console = new CapturedConsole();
            int status = NicCtl.run(Context.ofProcess(console.console()), Arrays.asList(line.split(" ")));
            System.out.println(Json.writeLine(
                    Json.object("line", line, "status", status, "out", console.out(), "err", console.err())));
        }
    }

    /** What the lines of {@link #main} came to, in order, those for the shell left out. */
    static List<Outcome> outcomes(String stdout) {
        List<Outcome> outcomes = new ArrayList<>();
        stdout.lines().filter(line -> line.startsWith("{")).map(Outcome::parse).forEach(outcomes::add);
        return outcomes;
    }
}
