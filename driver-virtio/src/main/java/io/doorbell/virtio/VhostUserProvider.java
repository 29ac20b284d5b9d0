package io.doorbell.virtio;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicOption;
import io.doorbell.frame.NicProvider;
import io.doorbell.frame.warmup.SimulatedNic;
import io.doorbell.frame.warmup.Simulation;
import io.doorbell.virtio.net.VirtioNic;
import io.doorbell.virtio.vhost.backend.VhostBackendName;
import io.doorbell.virtio.vhost.backend.VhostBackendNic;
import io.doorbell.virtio.vhost.frontend.VhostUserNic;
import io.doorbell.virtio.warmup.SimulatedVirtio;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Opens either end of a vhost-user socket, which two processes exchange frames through shared memory by:
 *
 * <ul>
 *   <li>{@code vhost-user:PATH} is the front-end, the driver. It connects to a back-end that listens, such as DPDK's
 *       {@code net_vhost}, a software switch, or the other one of these.
 *   <li>{@code vhost-user-backend:PATH} is the back-end, the device. It listens, and serves one front-end at a time.
 *       With {@code ,queues=N} it has N queues each way, as with {@link NicConfig#withQueues}.
 * </ul>
 */
public final class VhostUserProvider implements NicProvider, Simulation {

    private static final String DRIVER = "vhost-user";
    private static final String FRONT_END = "vhost-user:";
    private static final String BACK_END = "vhost-user-backend:";

    /** For {@link java.util.ServiceLoader}. */
    public VhostUserProvider() {}

    @Override
    public String driver() {
        return DRIVER;
    }

    @Override
    public String supports() {
        return "shared memory with another process, by the path of a unix socket (vhost-user:/run/x.sock connects,"
                + " vhost-user-backend:/run/x.sock listens)";
    }

    @Override
    public Optional<NicCandidate> find(String name) {
        if (name.startsWith(FRONT_END)) {
            return Optional.of(new FrontEnd(name, path(name, name.substring(FRONT_END.length()))));
        }
        if (name.startsWith(BACK_END)) {
            VhostBackendName parsed = VhostBackendName.parse(name, name.substring(BACK_END.length()));
            path(name, parsed.path());
            return Optional.of(new BackEnd(name, parsed));
        }
        return Optional.empty();
    }

    /** For front-ends only. */
    @Override
    public List<SimulatedNic> simulate(String name, NicConfig config) {
        return name.startsWith(FRONT_END) ? SimulatedVirtio.all(config, true) : List.of();
    }

    private record FrontEnd(String name, String path) implements NicCandidate {

        @Override
        public String driver() {
            return DRIVER;
        }

        @Override
        public String model() {
            return "vhost-user front-end";
        }

        @Override
        public Set<NicOption<?>> supportedOptions() {
            return VirtioNic.OPTIONS;
        }

        @Override
        public Nic take(NicConfig config) {
            return VhostUserNic.open(name, path, config);
        }
    }

    private record BackEnd(String name, VhostBackendName parsed) implements NicCandidate {

        @Override
        public String driver() {
            return DRIVER;
        }

        @Override
        public String model() {
            return "vhost-user back-end";
        }

        @Override
        public Set<NicOption<?>> supportedOptions() {
            return Set.of(NicOption.WITHOUT_FEATURES, NicOption.RECEIVE_OFFLOADS);
        }

        @Override
        public Nic take(NicConfig config) {
            return VhostBackendNic.open(name, parsed.path(), parsed.queuesOr(name, config.queues()), config);
        }
    }

    private static String path(String name, String path) {
        if (path.isEmpty()) {
            throw new DoorbellException("'" + name + "' lacks the path of a socket: write " + FRONT_END
                    + "/run/x.sock or " + BACK_END + "/run/x.sock");
        }
        if (path.indexOf(0) >= 0) {
            throw new DoorbellException("'" + name.replace('\0', '\u2400')
                    + "' has a NUL in it (\u2400), where Linux would" + " take the path to end: leave it out");
        }
        return path;
    }
}
