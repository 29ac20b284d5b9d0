package io.doorbell.qemu.guest;

import io.doorbell.qemu.QemuBinary;
import io.doorbell.qemu.QemuProcess;
import io.doorbell.qemu.QmpClient;
import io.doorbell.qemu.Resources;
import io.doorbell.qemu.ScratchFolder;
import io.doorbell.qemu.UnixListener;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.link.Wire;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A guest under QEMU: a distribution's own kernel with an IOMMU, QEMU's NICs, and the host's file tree, so that a command
 * means the same there as here. It ends with this JVM at the latest, and leaves nothing behind.
 *
 * {@snippet :
 * try (GuestMachine guest = GuestMachine.builder()
 *         .nic("igb", "52:54:00:00:00:01", Wire.hub(0))
 *         .nic("virtio-net-pci", "52:54:00:00:00:02", Wire.hub(0))
 *         .start()) {
 *     guest.load("vfio-pci", "vfio_iommu_type1");
 * }
 * }
 *
 * <p>The guest sees the host's files as they are, read-only; what it writes stays in its memory. Its commands run as root,
 * several at a time if need be. Any thread may use a machine; whoever started it closes it.
 */
public final class GuestMachine implements AutoCloseable {

    /**
     * The folder, in a guest, of the lab's own programs: {@code ip}, {@code ping}, {@code insmod} and whatever else busybox
     * has. They do the same whatever the host has installed; a command's {@code PATH} has them last, after the host's.
     */
    public static final String TOOLS = "/run/doorbell/bin"; // where guest-init.sh and guest-agent.sh put them

    private static final Duration BOOT = Duration.ofSeconds(90);
    private static final Duration COMMAND = Duration.ofSeconds(60);
    private static final Duration LOAD = Duration.ofMinutes(2);

    /** Its arguments are the modules' files. The kernel may load one by itself at the same time. */
    private static final String LOAD_MODULES = """
            for file; do
                name=${file##*/}
                loaded=/sys/module/$(echo "${name%%.ko*}" | tr - _)
                [ -e "$loaded" ] || insmod "$file" || [ -e "$loaded" ]
            done
            """;

    private final Resources resources;
    private final GuestFolder folder;
    private final GuestKernel kernel;
    private final List<GuestNic> nics;
    private final @Nullable Terminal terminal;
    private final GuestAgent agent;
    private final Map<Wire, FramePeer> peers;
    private final Map<String, String> environment;
    private @Nullable QmpClient qmp;

    private GuestMachine(
            Resources resources,
            GuestFolder folder,
            GuestKernel kernel,
            List<GuestNic> nics,
            @Nullable Terminal terminal,
            GuestAgent agent,
            Map<Wire, FramePeer> peers) {
        this.resources = resources;
        this.folder = folder;
        this.kernel = kernel;
        this.nics = nics;
        this.terminal = terminal;
        this.agent = agent;
        this.peers = peers;
        environment = Map.of(
                "HOME", System.getProperty("user.home"),
                "JAVA_HOME", System.getProperty("java.home"),
                "LANG", "C.UTF-8");
    }

    public static GuestMachineBuilder builder() {
        return new GuestMachineBuilder();
    }

    static GuestMachine boot(GuestSpec spec) {
        QemuBinary binary = QemuBinary.find();
        spec.nics().forEach(nic -> binary.requireDevice(nic.driver()));
        GuestKernel kernel = GuestKernel.find();
        Resources resources = new Resources();
        try {
            return boot(spec, binary, kernel, resources);
        } catch (RuntimeException e) {
            try (resources) {
                throw e;
            }
        }
    }

    private static GuestMachine boot(GuestSpec spec, QemuBinary binary, GuestKernel kernel, Resources resources) {
        GuestFolder folder = GuestFolder.in(resources.add(ScratchFolder.create("doorbell-guest")));
        Initramfs.write(folder.initramfs(), kernel);
        List<String> command = new ArrayList<>();
        Terminal terminal = null;
        if (spec.terminal()) {
            terminal = resources.add(Terminal.take());
            // Only QEMU's own complaints go to the log.
            command.addAll(List.of("/bin/sh", "-c", "exec \"$@\" </dev/tty >/dev/tty", "qemu"));
        }
        command.add(binary.path().toString());
        command.addAll(spec.arguments(folder, kernel));

        try (Resources listeners = new Resources()) {
            UnixListener forAgent = listeners.add(UnixListener.bind(folder.agent()));
            Map<Wire, UnixListener> forPeers = new HashMap<>();
            spec.peers().forEach(wire -> forPeers.put(wire, listeners.add(UnixListener.bind(folder.socket(wire)))));

            QemuProcess process = QemuProcess.start(command, folder.console());
            Map<Wire, FramePeer> peers = new HashMap<>();
            resources.add(() -> peers.values().forEach(FramePeer::close));
            GuestAgent agent;
            try {
                forPeers.forEach((wire, listener) -> peers.put(wire, new FramePeer(listener.accept(process, BOOT))));
                agent = resources.add(new GuestAgent(forAgent.accept(process, BOOT), folder.jobs()));
            } finally {
                resources.add(process); // last, so that it ends first: then the others have nobody to wait for
            }
            agent.awaitReady(BOOT);
            return new GuestMachine(resources, folder, kernel, spec.nics(), terminal, agent, Map.copyOf(peers));
        }
    }

    /** The NICs, in the order in which they were added. */
    public List<GuestNic> nics() {
        return nics;
    }

    public GuestNic nic(int index) {
        return nics.get(index);
    }

    /** This JVM's end of a cable, or of a hub that was built with a peer. */
    public FramePeer peer(Wire wire) {
        FramePeer peer = peers.get(wire);
        if (peer == null) {
            throw new IllegalArgumentException(wire + " has no peer; there is one on " + peers.keySet());
        }
        return peer;
    }

    /** The path of one of the programs in {@link #TOOLS}. */
    public static String tool(String name) {
        return TOOLS + "/" + name;
    }

    /**
     * Loads modules of the guest's kernel in this order, each after those that it depends on. Those that are there
     * already, or built in, are passed over. Nothing that the host says about modules, in {@code /etc/modprobe.d}, counts.
     *
     * @param modules names, as {@code modprobe} takes them
     */
    public void load(String... modules) {
        List<String> command =
                new ArrayList<>(List.of(tool("sh"), "-ec", "PATH=" + TOOLS + "\n" + LOAD_MODULES, "load"));
        Stream.of(modules)
                .flatMap(module -> kernel.modulesFor(module).stream())
                .distinct()
                .map(Path::toString)
                .forEach(command::add);
        run(LOAD, command).orThrow();
    }

    /** Runs a command in the guest and waits for its end, 60 s at most. */
    public GuestResult run(String... command) {
        return run(COMMAND, command);
    }

    public GuestResult run(List<String> command) {
        return run(COMMAND, command);
    }

    /** Runs a command in the guest; when its time is over it is killed, and an exception shows what it printed. */
    public GuestResult run(Duration patience, String... command) {
        return run(patience, Arrays.asList(command));
    }

    public GuestResult run(Duration patience, List<String> command) {
        return spawn(command).await(patience);
    }

    /** Starts a command in the guest, in this JVM's own working folder, without input. */
    public GuestProcess spawn(String... command) {
        return spawn(Arrays.asList(command));
    }

    public GuestProcess spawn(List<String> command) {
        return agent.start(command, environment);
    }

    /** The command that runs a class with this JVM's own Java and class path. */
    public static List<String> java(String mainClass, String... arguments) {
        return java(List.of(), mainClass, arguments);
    }

    /** As {@link #java(String, String...)}, with options for the virtual machine. */
    public static List<String> java(List<String> options, String mainClass, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(options);
        command.add(mainClass);
        command.addAll(Arrays.asList(arguments));
        return command;
    }

    /**
     * Gives the terminal to a shell in the guest, until its user leaves it with {@code exit} or ends QEMU with Ctrl-A X.
     * The machine must have been built with {@link GuestMachineBuilder#terminal()}.
     *
     * @param programs folders to put in front of the shell's {@code PATH}
     */
    public void shell(Path... programs) {
        Terminal lent = terminal;
        if (lent == null) {
            throw new IllegalStateException("this guest was started without a terminal");
        }
        String path = Stream.of(programs)
                .map(folder -> ShellWords.quote(folder + ":"))
                .reduce("", String::concat);
        String start = """
                export PATH=%s"$PATH" TERM=%s
                exec </dev/ttyS0 >/dev/ttyS0 2>&1
                %s rows %d cols %d
                command -v bash >/dev/null && exec bash -i
                exec sh -i
                """.formatted(
                        path,
                        ShellWords.quote(System.getenv().getOrDefault("TERM", "linux")),
                        tool("stty"),
                        lent.rows(),
                        lent.columns());
        spawn("sh", "-c", start).awaitEnd();
    }

    /** QEMU's control channel; connects on the first call. It closes with the machine. */
    public synchronized QmpClient qmp() {
        QmpClient client = qmp;
        if (client == null) {
            client = QmpClient.connect(folder.qmp());
            qmp = client;
        }
        return client;
    }

    /** Has QEMU record no more of that NIC's frames; the file is whole then. See {@link GuestMachineBuilder#capture}. */
    public void endCapture(int nic) {
        qmp().execute("object-del", Map.of("id", GuestSpec.capture(nic)));
    }

    /** Ends the guest at once, as pulling the plug does, and waits until it is gone. */
    @Override
    public synchronized void close() {
        try (resources) {
            if (qmp != null) {
                qmp.close();
            }
        }
    }
}
