/* The server: the state that its loops share. */
#include "libsvc/server/server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "libsvc/server/address_limit.h"

static double count_connections(void *arg)
{
    const struct server *server = arg;
    return (double)atomic_load(&server->connections);
}

static void register_metrics(struct server *server)
{
    struct metrics *in = server->app->metrics;
    struct server_metrics *m = &server->metrics;
    svc__metric_fn(in, METRIC_GAUGE, "svc_connections", "Connections that are open.",
                   count_connections, server);
    m->accepted =
        svc__metric_counter(in, "svc_connections_accepted_total", "Connections accepted.");
    m->over_address =
        svc__metric_counter(in, "svc_connections_over_address_limit_total",
                            "Connections refused because their address had as many as it may.");
    m->refused = svc__metric_counter(in, "svc_connections_refused_total",
                                     "Connections answered 503 or closed over a limit.");
    m->accept_errors =
        svc__metric_counter(in, "svc_accept_errors_total", "Times that accepting failed.");
    m->timed_out = svc__metric_counter(in, "svc_connections_timed_out_total",
                                       "Connections that a deadline ended in mid-request.");
    m->refused_below = svc__metric_counter(in, "svc_requests_refused_below_total",
                                           "Requests that were refused before they were one.");
    m->faults = svc__metric_counter(in, "svc_loop_faults_total",
                                    "System calls of event loops that failed: wake-ups, watches, "
                                    "and those by which libmicrohttpd takes a connection.");
    m->lingering_full =
        svc__metric_counter(in, "svc_lingering_full_total", "Closes that found no room to linger.");
}

struct server *svc__server_new(svc_app *app, svc_app *report, const char *addresses,
                               const struct front *const *fronts, int *error)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        *error = SVC_ENOMEM;
        return NULL;
    }
    server->app = app;
    server->fronts = fronts;
    server->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *error = addresses ? svc__listen_open(&server->listeners, report, addresses) : 0;
    for (size_t i = 0; i < server->listeners.count; i++)
        server->listeners.all[i].front = fronts[0];
    if (!*error && server->event_fd < 0)
        *error = SVC_ESYSTEM;
    if (!*error)
        return server;
    svc__server_free(server);
    return NULL;
}

int svc__server_configure(struct server *server, struct logger *logger)
{
    const svc_config *config = &server->app->config;
    unsigned per_address = (unsigned)config->max_connections_per_address;
    server->logger = logger;
    server->max_connections = (unsigned)config->max_connections;
    register_metrics(server);
    if (!per_address)
        return 0;
    server->per_address = svc__address_limit_new(per_address, config->exempt_networks);
    return server->per_address ? 0 : SVC_ENOMEM;
}

void svc__server_notify(struct server *server)
{
    uint64_t one = 1;
    if (write(server->event_fd, &one, sizeof one) < 0 && errno != EAGAIN) /* full: it wakes too */
        svc__counter_add(server->metrics.faults, 1);
}

void svc__server_free(struct server *server)
{
    if (!server)
        return;
    svc__address_limit_free(server->per_address);
    svc__listen_close(&server->listeners);
    if (server->event_fd >= 0)
        close(server->event_fd);
    free(server);
}

bool svc__server_socket_opened(struct server *server, _Atomic unsigned *counter, unsigned max)
{
    bool room = atomic_fetch_add(counter, 1) < max;
    unsigned sockets = atomic_load(&server->connections) + atomic_load(&server->lingers);
    if (room && sockets <= server->max_sockets)
        return true;
    atomic_fetch_sub(counter, 1);
    return false;
}

void svc__server_socket_closed(struct server *server, _Atomic unsigned *counter)
{
    atomic_fetch_sub(counter, 1);
    if (atomic_load(&server->stage) != STAGE_SERVE)
        svc__server_notify(server);
}
