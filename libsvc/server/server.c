/* The server: the state that its loops share. */
#include "libsvc/server/server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/server/address_limit.h"

/* Adds a front that the server speaks, unless it is there. */
static void add_front(struct server *server, const struct front *front)
{
    size_t i = 0;
    while (server->fronts[i] && server->fronts[i] != front)
        i++;
    server->fronts[i] = front;
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
    server->metrics.listener = app == report ? "service" : "admin";
    server->metrics.in = report->metrics;
    server->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *error = addresses ? svc__listen_open(&server->listeners, report, addresses, fronts) : 0;
    for (size_t i = 0; i < server->listeners.count; i++)
        add_front(server, server->listeners.all[i].front);
    for (size_t i = 0; !addresses && fronts[i]; i++)
        add_front(server, fronts[i]);
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
    int error = svc__server_metrics_register(&server->metrics, server->fronts);
    if (error || !per_address)
        return error;
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
