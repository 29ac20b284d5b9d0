package io.doorbell.qemu.qtest;

import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.PciAddress;
import io.doorbell.qemu.QemuBinary;
import io.doorbell.qemu.QemuException;
import io.doorbell.qemu.QemuProcess;
import io.doorbell.qemu.QmpClient;
import io.doorbell.qemu.Resources;
import io.doorbell.qemu.ScratchFolder;
import io.doorbell.qemu.UnixListener;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.link.HostTap;
import io.doorbell.qemu.link.KernelBridge;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * QEMU's NIC models without a guest: no kernel, no firmware, a processor that sleeps. The JVM makes the register
 * accesses of a processor itself, shares the RAM, and holds the other end of each NIC's cable. It needs no privilege
 * and starts within tens of milliseconds, so that every test can have a machine of its own:
 *
 * <pre>{@code
 * try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
 *         PciFunction function = machine.open(0)) {
 *     machine.peer(0).send(frame);
 * }
 * }</pre>
 *
 * <p>What it cannot show: memory ordering, an IOMMU, hugepages, speed. Closing the machine kills QEMU; so does the end
 * of this JVM, however it comes. Methods may be called from any thread.
 */
public final class QtestMachine implements AutoCloseable {

    private static final Duration START = Duration.ofSeconds(30);
    private static final Duration QUIT = Duration.ofSeconds(30);

    private static final int FIRST_DEVICE = 4;
    /** An igb reserves two device numbers for its virtual functions, 16 above its own. */
    private static final int DEVICES_PER_NIC = 2;

    private static final int MAX_NICS = 5; // so that none meets another one's virtual functions, nor q35's own 0x1f

    /** A configuration-space window for bus 0 and up, where no firmware would disagree. */
    private static final int ECAM = 0xB000_0000;

    private static final int ECAM_ENABLE = 1;
    /** PCIEXBAR of the host bridge, function 0:0.0 (Intel 3 Series Express Chipset datasheet, 5.1.16). */
    private static final int PCIEXBAR = 0x60;

    private static final int CONFIG_ADDRESS_PORT = 0xCF8;
    private static final int CONFIG_DATA_PORT = 0xCFC;
    private static final int CONFIG_ENABLE = 1 << 31;

    private static final long MEMORY_WINDOWS = 0xE000_0000L;
    private static final long MEMORY_WINDOW_SIZE = 0x0100_0000;
    private static final int PORT_WINDOWS = 0xC000;
    private static final int PORT_WINDOW_SIZE = 0x100;

    private final Resources resources;
    private final QemuProcess process;
    private final QtestMemory memory;
    private final QtestClient qtest;
    private final QmpClient qmp;
    private final List<WireEnd> wireEnds;

    /** The other end of a NIC's cable: one of the two, or neither on a bridge. */
    private record WireEnd(
            @Nullable FramePeer peer, @Nullable HostTap tap) {}

    private QtestMachine(
            Resources resources,
            QemuProcess process,
            QtestMemory memory,
            QtestClient qtest,
            QmpClient qmp,
            List<WireEnd> wireEnds) {
        this.resources = resources;
        this.process = process;
        this.memory = memory;
        this.qtest = qtest;
        this.qmp = qmp;
        this.wireEnds = List.copyOf(wireEnds);
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Takes a NIC as a driver would find it: reset, BARs placed, memory decoding on, bus mastering off. May be called
     * again once the function is closed.
     *
     * @param nic counts the builder's NICs, from 0
     */
    public QtestPciFunction open(int nic) {
        int device = deviceNumber(checkNic(nic));
        QtestConfigSpace config = new QtestConfigSpace(qtest, Integer.toUnsignedLong(ECAM), device, 0);
        return new QtestPciFunction(
                qtest,
                new PciAddress(0, 0, device, 0),
                config,
                memory,
                MEMORY_WINDOWS + nic * MEMORY_WINDOW_SIZE,
                PORT_WINDOWS + nic * PORT_WINDOW_SIZE);
    }

    /** Configuration space of the host bridge, whose registers say, among others, where RAM is to be seen. */
    public ConfigSpace hostBridge() {
        return new QtestConfigSpace(qtest, Integer.toUnsignedLong(ECAM), 0, 0);
    }

    private static int deviceNumber(int nic) {
        return FIRST_DEVICE + nic * DEVICES_PER_NIC;
    }

    /** The other end of a NIC's cable, unless it is a {@link #tap}, a {@link Builder#bridge bridge} or a back-end. */
    public FramePeer peer(int nic) {
        FramePeer peer = wireEnds.get(checkNic(nic)).peer();
        if (peer == null) {
            throw new IllegalArgumentException("NIC " + nic + " is plugged into the host's network, not into this JVM");
        }
        return peer;
    }

    /** The host's interface at the other end of the cable of a NIC with {@link Builder#onTap}. */
    public HostTap tap(int nic) {
        HostTap tap = wireEnds.get(checkNic(nic)).tap();
        if (tap == null) {
            throw new IllegalArgumentException("NIC " + nic + " has a peer in this JVM, and no tap interface");
        }
        return tap;
    }

    /** Why NICs cannot be joined by a bridge here ({@link Builder#bridge}), in a sentence; empty if they can. */
    public static Optional<String> bridgeObstacle() {
        return KernelBridge.obstacle();
    }

    /** Plugs or unplugs a NIC's cable. */
    public void setLink(int nic, boolean up) {
        qmp.setLink(deviceId(checkNic(nic)), up);
    }

    /** QEMU's control channel. NIC {@code n} has the device id {@code nicN}. */
    public QmpClient qmp() {
        return qmp;
    }

    /** Register and port accesses, of which {@link QtestPciFunction} is made. */
    QtestClient qtest() {
        return qtest;
    }

    /** All of the machine's RAM; the index is the physical address. */
    public MemorySegment ram() {
        return memory.ram();
    }

    /** Zeroed whole pages of the RAM that nothing else uses, for a test that brings its own memory. Freed with the machine. */
    public MemorySegment allocate(long bytes) {
        return memory.allocate(bytes);
    }

    /** What QEMU has printed so far, for example what a device model found wrong with a driver. */
    public String log() {
        return process.log();
    }

    /** The process that runs the device models. */
    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Lets QEMU end in its own time, and so write out its captures; {@link #close} kills it. */
    public void quit() {
        qmp.quit();
        if (!process.awaitExit(QUIT)) {
            throw new QemuException("QEMU did not end within " + QUIT + " of being asked to\n" + process.describe());
        }
    }

    @Override
    public void close() {
        resources.close();
    }

    private void enableConfigWindow() {
        qtest.outl(CONFIG_ADDRESS_PORT, CONFIG_ENABLE | PCIEXBAR);
        qtest.outl(CONFIG_DATA_PORT, ECAM | ECAM_ENABLE);
    }

    private int checkNic(int nic) {
        if (nic < 0 || nic >= wireEnds.size()) {
            throw new IllegalArgumentException("no NIC " + nic + ": the machine has " + wireEnds.size());
        }
        return nic;
    }

    private static String deviceId(int nic) {
        return "nic" + nic;
    }

    /** What the machine is made of. */
    public static final class Builder {

        private record Nic(
                String model,
                List<String> properties,
                @Nullable HostTap tap,
                @Nullable Path vhostSocket) {}

        private record Capture(int nic, Path file) {}

        private static final String MAC = "mac=";

        private final List<Nic> nics = new ArrayList<>();
        private final List<Capture> captures = new ArrayList<>();
        private final List<String> traces = new ArrayList<>(List.of("guest_errors"));
        private @Nullable QemuBinary binary;
        private long ramSize = 64L << 20;
        private boolean virtualTime;
        /** The MTU of the bridge; 0 without one. */
        private int bridgeMtu;

        private boolean lossy;

        private Builder() {}

        /**
         * Adds a NIC. Its MAC address is {@code 52:54:00:d0:0b:NN}, NN counting NICs from 0, unless a property sets it.
         *
         * @param model as QEMU names it, for example {@code igb} or {@code virtio-net-pci}
         * @param properties as in {@code -device}, for example {@code mac=52:54:00:12:34:56} or {@code packed=on}
         */
        public Builder nic(String model, String... properties) {
            if (nics.size() == MAX_NICS) {
                throw new IllegalStateException("a machine has room for " + MAX_NICS + " NICs");
            }
            nics.add(new Nic(model, List.of(properties), null, null));
            return this;
        }

        /**
         * Plugs the NIC that was added last into a tap interface of this host, whose kernel is the other end then.
         *
         * @param queues in each direction; what the NIC has, too, if its properties say so
         */
        public Builder onTap(int queues) {
            if (nics.isEmpty()) {
                throw new IllegalStateException("add the NIC to plug in first");
            }
            String mac = mac(nics.size() - 1);
            Nic last = nics.removeLast();
            nics.add(new Nic(last.model(), last.properties(), new HostTap(mac, queues), null));
            return this;
        }

        /**
         * Has the NIC that was added last played by a vhost-user back-end: QEMU then is the front-end, and shares the
         * machine's RAM. It connects again whenever the connection is lost.
         *
         * @param socket that the back-end listens at, by the time that the machine starts
         */
        public Builder onVhostUser(Path socket) {
            if (nics.isEmpty()) {
                throw new IllegalStateException("add the NIC to be played first");
            }
            Nic last = nics.removeLast();
            nics.add(new Nic(last.model(), last.properties(), null, socket.toAbsolutePath()));
            return this;
        }

        /** Has QEMU itself write a pcap of the cable of the NIC that was added last. */
        public Builder capture(Path pcap) {
            if (nics.isEmpty()) {
                throw new IllegalStateException("add the NIC to capture first");
            }
            captures.add(new Capture(nics.size() - 1, pcap.toAbsolutePath()));
            return this;
        }

        /**
         * Joins all NICs by a bridge of the host's kernel, in place of a {@link FramePeer} each: the kernel then does for a
         * frame what NICs leave to their neighbours, checksums and segmentation, and passes on what they can take undone.
         *
         * @param mtu bytes that it takes behind an Ethernet header
         */
        public Builder bridge(int mtu) {
            bridgeMtu = mtu;
            return this;
        }

        /**
         * Lets each {@link FramePeer} lose what it does not take in time, so that no frame ever waits in a NIC for its cable.
         *
         * <p>The cable is plugged into a hub, of which another port is open. A frame waits there only while none of the
         * others can take it, and an open one always can.
         */
        public Builder lossy() {
            lossy = true;
            return this;
        }

        /** Lets virtual time jump to the next timer whenever nothing else is to do, instead of passing at its own pace. */
        public Builder virtualTime() {
            virtualTime = true;
            return this;
        }

        /** Size of the RAM in bytes, a multiple of 1 MiB; 64 MiB unless set. Costs only what is touched. */
        public Builder ram(long bytes) {
            ramSize = bytes;
            return this;
        }

        /** Has the log show trace events of QEMU, for example {@code e1000e_rx*}. */
        public Builder trace(String events) {
            traces.add("trace:" + events);
            return this;
        }

        /** Runs this QEMU instead of the one that {@link QemuBinary#find} finds. */
        public Builder binary(QemuBinary qemu) {
            binary = qemu;
            return this;
        }

        /**
         * Starts QEMU and connects to it.
         *
         * @throws QemuException if there is no QEMU, it lacks a model, or it does not start; the message says which
         */
        public QtestMachine start() {
            QemuBinary qemu = binary == null ? QemuBinary.find() : binary;
            nics.forEach(nic -> qemu.requireDevice(nic.model()));
            // Holds files and sockets only until both sides have opened them: nothing is left behind, whatever becomes
            // of
            // this JVM later.
            try (ScratchFolder folder = ScratchFolder.create("doorbell")) {
                return start(qemu, folder.path());
            } catch (IOException e) {
                throw new QemuException("cannot prepare a machine: " + e.getMessage(), e);
            }
        }

        private QtestMachine start(QemuBinary qemu, Path folder) throws IOException {
            Files.write(folder.resolve("bios"), haltingBios());
            Resources resources = new Resources();
            try (Resources listeners = new Resources()) {
                QtestMemory memory = resources.add(QtestMemory.create(folder.resolve("ram"), ramSize));
                UnixListener qtest = listeners.add(UnixListener.bind(folder.resolve("qtest")));
                UnixListener qmp = listeners.add(UnixListener.bind(folder.resolve("qmp")));
                List<UnixListener> wires = new ArrayList<>();
                for (int nic = 0; nic < nics.size(); nic++) {
                    if (hasPeer(nic)) {
                        wires.add(listeners.add(UnixListener.bind(folder.resolve("wire" + nic))));
                    }
                }
                QemuProcess process = resources.add(QemuProcess.start(command(qemu, folder), folder.resolve("log")));
                QtestClient qtestClient = resources.add(new QtestClient(qtest.accept(process, START)));
                QmpClient qmpClient = new QmpClient(resources.add(qmp.accept(process, START)));
                List<WireEnd> ends = new ArrayList<>();
                for (int nic = 0; nic < nics.size(); nic++) {
                    HostTap tap = nics.get(nic).tap();
                    FramePeer peer = null;
                    if (hasPeer(nic)) {
                        peer = resources.add(new FramePeer(wires.removeFirst().accept(process, START)));
                    } else if (tap != null) {
                        tap.up();
                    }
                    ends.add(new WireEnd(peer, tap));
                }
                QtestMachine machine = new QtestMachine(resources, process, memory, qtestClient, qmpClient, ends);
                machine.enableConfigWindow();
                return machine;
            } catch (RuntimeException e) {
                resources.close();
                throw e;
            }
        }

        private List<String> command(QemuBinary qemu, Path folder) {
            List<String> command = new ArrayList<>(List.of(
                    qemu.path().toString(),
                    "-nodefaults",
                    "-no-user-config",
                    "-display",
                    "none",
                    "-machine",
                    "q35,memory-backend=ram",
                    "-accel",
                    "tcg,thread=single,tb-size=1",
                    "-m",
                    "size=" + ramSize + "B",
                    "-object",
                    "memory-backend-file,id=ram,share=on,size=" + ramSize + "B,mem-path=" + file(folder, "ram"),
                    "-bios",
                    folder.resolve("bios").toString(),
                    "-qtest",
                    "unix:" + file(folder, "qtest"),
                    "-qtest-log",
                    "none",
                    "-chardev",
                    "socket,id=qmp,path=" + file(folder, "qmp"),
                    "-mon",
                    "chardev=qmp,mode=control",
                    "-d",
                    String.join(",", traces)));
            if (virtualTime) {
                command.addAll(List.of("-icount", "shift=0,sleep=off"));
            }
            for (int nic = 0; nic < nics.size(); nic++) {
                Path socket = nics.get(nic).vhostSocket();
                if (socket != null) {
                    String path = escape(socket);
                    command.addAll(List.of("-chardev", "socket,id=vhost" + nic + ",reconnect-ms=100,path=" + path));
                }
                command.addAll(List.of("-netdev", netdev(folder, nic), "-device", device(nic)));
                if (isOnHub(nic)) {
                    command.addAll(List.of(
                            "-netdev", stream(folder, "cable", nic),
                            "-netdev", "hubport,id=plug%d,hubid=%d,netdev=cable%d".formatted(nic, nic, nic),
                            "-netdev", "hubport,id=open%d,hubid=%d".formatted(nic, nic)));
                }
            }
            for (Capture capture : captures) {
                command.addAll(List.of(
                        "-object",
                        "filter-dump,id=capture" + capture.nic() + ",netdev=wire" + capture.nic() + ",file="
                                + escape(capture.file())));
            }
            return bridgeMtu == 0 ? command : KernelBridge.around(command, nics.size(), bridgeMtu);
        }

        private boolean hasPeer(int nic) {
            return bridgeMtu == 0
                    && nics.get(nic).tap() == null
                    && nics.get(nic).vhostSocket() == null;
        }

        private boolean isOnHub(int nic) {
            return lossy && hasPeer(nic);
        }

        /** The cable to a {@link FramePeer}. */
        private static String stream(Path folder, String id, int nic) {
            return "stream,id=" + id + nic + ",server=off,addr.type=unix,addr.path=" + file(folder, "wire" + nic);
        }

        private String netdev(Path folder, int nic) {
            String wire = "wire" + nic;
            HostTap tap = nics.get(nic).tap();
            if (nics.get(nic).vhostSocket() != null) {
                return "vhost-user,id=" + wire + ",chardev=vhost" + nic;
            }
            if (bridgeMtu > 0) {
                return KernelBridge.netdev(wire, nic);
            }
            if (isOnHub(nic)) {
                return "hubport,id=" + wire + ",hubid=" + nic;
            }
            return tap != null ? tap.netdev(wire) : stream(folder, "wire", nic);
        }

        private String device(int number) {
            Nic nic = nics.get(number);
            List<String> options = new ArrayList<>(List.of(
                    nic.model(),
                    "id=" + deviceId(number),
                    "netdev=wire" + number,
                    "addr=" + Integer.toHexString(deviceNumber(number))));
            options.addAll(nic.properties());
            options.removeIf(option -> option.startsWith(MAC));
            options.add(MAC + mac(number));
            return String.join(",", options);
        }

        private String mac(int number) {
            return nics.get(number).properties().stream()
                    .filter(property -> property.startsWith(MAC))
                    .map(property -> property.substring(MAC.length()))
                    .findFirst()
                    .orElse(String.format(Locale.ROOT, "52:54:00:d0:0b:%02x", number));
        }

        private static String file(Path folder, String name) {
            return escape(folder.resolve(name));
        }

        /** Within an option's value, QEMU takes a comma for the next option's start unless it is doubled. */
        private static String escape(Path path) {
            return path.toString().replace(",", ",,");
        }

        /** The processor starts 16 bytes below the end: cli, hlt, and back to hlt should anything wake it. */
        private static byte[] haltingBios() {
            byte[] bios = new byte[0x10000];
            Arrays.fill(bios, (byte) 0xF4);
            byte[] entry = HexFormat.of().parseHex("faf4ebfd");
            System.arraycopy(entry, 0, bios, 0xFFF0, entry.length);
            return bios;
        }
    }
}
