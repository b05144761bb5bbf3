/* The server: makes its listeners and loops, and takes them through the stages of their life. */
#include "libsvc/server/server.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libsvc/base/wait.h"
#include "libsvc/server/acceptor.h"
#include "libsvc/server/address_limit.h"
#include "libsvc/server/loop.h"

/* Descriptors that are left to the program beside its sockets: log files, name lookups, and the
 * moment between accept and refusal. */
enum { RESERVED_DESCRIPTORS = 8 };

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

/* How many sockets fit beside what is open already; lingering ones count as much as connections. */
static unsigned sockets_allowed(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > UINT32_MAX)
        return UINT32_MAX;
    unsigned taken = open_descriptors() + RESERVED_DESCRIPTORS;
    return limit.rlim_cur > taken ? (unsigned)limit.rlim_cur - taken : 1;
}

static int64_t count_connections(void *arg)
{
    const struct server *server = arg;
    return (int64_t)atomic_load(&server->connections);
}

static void register_metrics(struct server *server)
{
    struct metrics *in = server->app->metrics;
    struct server_metrics *m = &server->metrics;
    svc__metric_gauge_fn(in, "svc_connections", "Connections that are open.", count_connections,
                         server);
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
                                    "and what libmicrohttpd takes a connection by.");
    m->lingering_full =
        svc__metric_counter(in, "svc_lingering_full_total", "Closes that found no room to linger.");
}

static int make_loops(struct server *server, size_t count)
{
    server->loops = calloc(count, sizeof *server->loops);
    if (!server->loops)
        return SVC_ENOMEM;
    int error = 0;
    for (; server->loop_count < count && !error; server->loop_count += !error)
        server->loops[server->loop_count] = svc__loop_new(server, &error);
    return error;
}

int svc__server_start(struct server *server)
{
    for (; server->loops_started < server->loop_count; server->loops_started++) {
        int error = svc__loop_start(server->loops[server->loops_started]);
        if (error)
            return error;
    }
    return 0;
}

struct server *svc__server_new(svc_app *app, svc_app *report, const char *addresses, int *error)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        *error = SVC_ENOMEM;
        return NULL;
    }
    server->app = app;
    server->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *error = svc__listen_open(&server->listeners, report, addresses);
    if (!*error && server->event_fd < 0)
        *error = SVC_ESYSTEM;
    if (!*error)
        return server;
    svc__server_free(server);
    return NULL;
}

static int limit_addresses(struct server *server)
{
    const svc_config *config = &server->app->config;
    if (!config->max_connections_per_address)
        return 0;
    server->per_address = svc__address_limit_new((unsigned)config->max_connections_per_address,
                                                 config->exempt_networks);
    return server->per_address ? 0 : SVC_ENOMEM;
}

int svc__server_make_loops(struct server *server, struct logger *logger, size_t loops)
{
    server->logger = logger;
    server->max_connections = (unsigned)server->app->config.max_connections;
    register_metrics(server);
    int error = limit_addresses(server);
    if (!error)
        error = make_loops(server, loops);
    server->max_sockets = sockets_allowed();
    return error;
}

void svc__server_enter(struct server *server, enum stage stage)
{
    atomic_store(&server->stage, stage);
    for (size_t i = 0; i < server->loops_started; i++)
        svc__loop_wake(server->loops[i]);
}

bool svc__server_settled(const struct server *server)
{
    int stage = atomic_load(&server->stage);
    for (size_t i = 0; i < server->loops_started; i++)
        if (atomic_load(&server->loops[i]->stage) != stage)
            return false;
    return true;
}

bool svc__server_empty(const struct server *server)
{
    for (size_t i = 0; i < server->loop_count; i++)
        if (atomic_load(&server->loops[i]->host.away))
            return false;
    return atomic_load(&server->connections) == 0 && atomic_load(&server->lingers) == 0;
}

void svc__server_notify(struct server *server)
{
    uint64_t one = 1;
    if (write(server->event_fd, &one, sizeof one) < 0 && errno != EAGAIN) /* full, it wakes too */
        svc__metric_add_shared(server->app->metrics, server->metrics.faults, 1);
}

/* Whether nothing is left that could be accepted. */
static bool empty_listeners(struct server *server)
{
    bool empty = true;
    for (size_t i = 0; i < server->listeners.count; i++)
        empty = svc__acceptor_empty(server, &server->listeners.all[i]) && empty;
    return empty;
}

/* A handshake is in the queue before it is off the kernel's list, so it is looked for there first.
 */
bool svc__server_take_last(struct server *server)
{
    bool expects = svc__listen_expects(&server->listeners);
    return !empty_listeners(server) || expects;
}

void svc__server_close_listeners(struct server *server)
{
    (void)empty_listeners(server);
    svc__listen_close(&server->listeners);
}

static bool loops_ended(const struct server *server)
{
    for (size_t i = 0; i < server->loops_started; i++)
        if (!atomic_load(&server->loops[i]->ended))
            return false;
    return true;
}

static bool wait_for_loops(struct server *server, uint64_t deadline_ms)
{
    while (!loops_ended(server)) {
        uint64_t now = svc__clock_ms(), seen;
        if (now >= deadline_ms)
            return false;
        uint64_t left = deadline_ms - now;
        struct pollfd fd = {.fd = server->event_fd, .events = POLLIN};
        poll(&fd, 1, left < WAIT_LOOK_MS ? (int)left : WAIT_LOOK_MS);
        if (read(server->event_fd, &seen, sizeof seen) < 0)
            continue; /* nothing has changed yet */
    }
    return true;
}

/* A loop that a handler holds is left behind. */
static void join_loops(struct server *server)
{
    for (size_t i = 0; i < server->loops_started; i++) {
        struct loop *loop = server->loops[i];
        if (atomic_load(&loop->ended))
            pthread_join(loop->thread, NULL);
        else
            pthread_detach(loop->thread);
    }
}

int svc__server_end(struct server *server, uint64_t deadline_ms)
{
    if (!server)
        return 0;
    svc__server_enter(server, STAGE_EXIT);
    bool ended = wait_for_loops(server, deadline_ms);
    join_loops(server);
    return ended ? 0 : SVC_EFORCED;
}

void svc__server_free(struct server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->loop_count; i++)
        svc__loop_free(server->loops[i]);
    free(server->loops);
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
