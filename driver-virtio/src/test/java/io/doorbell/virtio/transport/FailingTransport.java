package io.doorbell.virtio.transport;

import io.doorbell.virtio.vhost.frontend.VhostTransport;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A transport some of whose calls fail when a test says so. */
public final class FailingTransport {

    private final Map<String, Throwable> failures = new ConcurrentHashMap<>();
    private final VhostTransport transport;

    /** Over one that works. */
    public FailingTransport(VhostTransport real) {
        this.transport = (VhostTransport) Proxy.newProxyInstance(
                VhostTransport.class.getClassLoader(),
                new Class<?>[] {VhostTransport.class},
                (proxy, method, arguments) -> {
                    Throwable failure = failures.get(method.getName());
                    if (failure != null) {
                        throw failure;
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    public VhostTransport transport() {
        return transport;
    }

    /** From now on the call fails; with null it does not any more. */
    public void fail(String call, @Nullable Throwable failure) {
        if (failure == null) {
            failures.remove(call);
        } else {
            failures.put(call, failure);
        }
    }
}
