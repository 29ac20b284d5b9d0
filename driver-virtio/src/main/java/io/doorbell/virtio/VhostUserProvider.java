package io.doorbell.virtio;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.NicProvider;
import io.doorbell.frame.spi.Practice;
import io.doorbell.virtio.vhost.backend.VhostBackendName;
import io.doorbell.virtio.vhost.backend.VhostBackendNic;
import io.doorbell.virtio.vhost.frontend.VhostUserNic;
import io.doorbell.virtio.warmup.VirtioPractice;
import java.util.List;

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
public final class VhostUserProvider implements NicProvider {

    private static final String FRONT_END = "vhost-user:";
    private static final String BACK_END = "vhost-user-backend:";

    /** For {@link java.util.ServiceLoader}. */
    public VhostUserProvider() {}

    @Override
    public String driver() {
        return "vhost-user";
    }

    @Override
    public String supports() {
        return "shared memory with another process, by the path of a unix socket (vhost-user:/run/x.sock connects,"
                + " vhost-user-backend:/run/x.sock listens)";
    }

    @Override
    public boolean claims(String name) {
        return name.startsWith(FRONT_END) || name.startsWith(BACK_END);
    }

    @Override
    public Nic open(String name, NicConfig config) {
        if (name.startsWith(FRONT_END)) {
            return VhostUserNic.open(name, path(name, name.substring(FRONT_END.length())), config);
        }
        VhostBackendName parsed = VhostBackendName.parse(name, name.substring(BACK_END.length()));
        return VhostBackendNic.open(name, path(name, parsed.path()), parsed.queuesOr(name, config.queues()), config);
    }

    @Override
    public List<Practice> practice(String name, NicConfig config) {
        return name.startsWith(FRONT_END) ? VirtioPractice.all(config, true) : List.of();
    }

    private static String path(String name, String path) {
        if (path.isEmpty()) {
            throw new DoorbellException("'" + name + "' lacks the path of a socket: write " + FRONT_END
                    + "/run/x.sock or " + BACK_END + "/run/x.sock");
        }
        return path;
    }
}
