/* The drain, step by step. */
#include "libsvc/service/drain.h"

#include <poll.h>
#include <unistd.h>

#include "libsvc/app/life.h"
#include "libsvc/app/task.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/wait.h"
#include "libsvc/run/workers.h"
#include "libsvc/server/loops.h"
#include "libsvc/service/log_flights.h"
#include "libsvc/service/signals.h"

enum {
    SETTLE_MS = 1000, /* for loops to leave the listeners; a stuck one is not waited for */
    CUT_MS = 300,     /* for cut requests to be answered, and the least time for tasks */
    REFUSING_MS = 5,  /* for segments that passed the listener just before it was closed */
    /* For handshakes that had begun: a lost segment is sent again after a second, and a way round
     * the earth is less than half of one. */
    HANDSHAKES_MS = 1500
};

/* The least time for threads to end, and for the log to be written, when all requests are over. */
struct pace {
    unsigned end_ms, flush_ms;
};

/* A forced stop ends within a second of its deadline, whatever handlers and the log's reader do;
 * CUT_MS is part of it, and so is the sink's grace of a quarter of a second. */
static const struct pace in_order = {1000, 1000}, by_force = {150, 200};

struct drain {
    struct service *service;
    int signals_fd;       /* -1 when signals are the program's own */
    unsigned asked;       /* stops requested so far */
    unsigned hangups;     /* SIGHUPs for which the log was opened again */
    unsigned users;       /* SIGUSR1s for which requests in flight were logged */
    uint64_t deadline_ms; /* of the drain timeout */
};

static bool empty_event(int fd)
{
    uint64_t seen;
    return read(fd, &seen, sizeof seen) == sizeof seen;
}

static void follow_hangups(struct drain *drain)
{
    unsigned hangups = drain->signals_fd >= 0 ? svc__signals_hangups() : 0;
    if (hangups == drain->hangups)
        return;
    drain->hangups = hangups;
    (void)svc_app_reopen_log(drain->service->app);
}

static void follow_users(struct drain *drain)
{
    unsigned users = drain->signals_fd >= 0 ? svc__signals_users() : 0;
    if (users == drain->users)
        return;
    drain->users = users;
    svc__log_flights(drain->service->app);
}

/* Sleeps until something happens, at most `ms`. */
static void wait_for_event(struct drain *drain, int ms)
{
    const svc_app *app = drain->service->app;
    const struct server *routes = drain->service->routes;
    struct pollfd fds[] = {{.fd = app->stop_fd, .events = POLLIN},
                           {.fd = drain->service->server->event_fd, .events = POLLIN},
                           {.fd = routes ? routes->event_fd : -1, .events = POLLIN},
                           {.fd = drain->signals_fd, .events = POLLIN}};
    if (poll(fds, sizeof fds / sizeof *fds, ms) > 0)
        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
            if (fds[i].revents)
                (void)empty_event(fds[i].fd);
    drain->asked = svc__life_stops(app);
    follow_hangups(drain);
    follow_users(drain);
}

static bool never(const struct server *server)
{
    (void)server;
    return false;
}

/* Waits for `done` of a server, until the deadline or the second stop. Returns whether it is done.
 */
static bool wait_until(struct drain *drain, const struct server *server,
                       bool (*done)(const struct server *server), uint64_t deadline_ms)
{
    for (;;) {
        uint64_t now = svc__clock_ms();
        if (done(server))
            return true;
        if (now >= deadline_ms || drain->asked > 1)
            return false;
        uint64_t left = deadline_ms - now;
        wait_for_event(drain, left < WAIT_LOOK_MS ? (int)left : WAIT_LOOK_MS);
    }
}

static void announce(struct drain *drain)
{
    struct service *service = drain->service;
    service->server->stop_ms = svc__clock_ms();
    if (service->routes)
        service->routes->stop_ms = service->server->stop_ms;
    atomic_store(&service->app->draining, DRAIN_BEGUN);
    svc_app_log_info(service->app, "draining",
                     svc_kv_uint("connections", atomic_load(&service->server->connections)));
    for (const struct hook *hook = service->app->hooks; hook; hook = hook->next)
        if (hook->drain)
            hook->drain(hook->app, hook->arg);
    /* Balancers see that readiness is off before the listeners close. */
    bool at_once = drain->signals_fd >= 0 && svc__signals_interrupted();
    uint64_t delay = at_once ? 0 : service->app->config.drain_delay_ms;
    wait_until(drain, service->server, never, svc__clock_ms() + delay);
}

/* No client that could connect is reset: a client is connected before its last segment has arrived.
 */
static void take_last(struct drain *drain, uint64_t deadline_ms)
{
    struct server *server = drain->service->server;
    uint64_t now_ms = svc__clock_ms(), least_ms = now_ms + REFUSING_MS;
    uint64_t most_ms = now_ms + HANDSHAKES_MS;
    most_ms = most_ms < deadline_ms ? most_ms : deadline_ms;
    svc__listen_refuse(&server->listeners, drain->service->app);
    do {
        wait_for_event(drain, REFUSING_MS);
        now_ms = svc__clock_ms();
    } while (now_ms < least_ms ||
             (svc__loops_take_last(server) && now_ms < most_ms && drain->asked < 2));
    svc__loops_close_listeners(server);
}

static void stop_accepting(struct drain *drain, uint64_t deadline_ms)
{
    struct server *server = drain->service->server;
    svc__loops_enter(server, STAGE_REFUSE);
    uint64_t settle_ms = svc__clock_ms() + SETTLE_MS;
    settle_ms = settle_ms < deadline_ms ? settle_ms : deadline_ms;
    /* Also after a second stop: loops must not look at listeners that are being closed. */
    while (!svc__loops_settled(server) && svc__clock_ms() < settle_ms)
        wait_for_event(drain, 10);
    take_last(drain, deadline_ms);
}

/* Waits for a server's requests in flight and cuts the rest. Whether nothing had to be cut. */
static bool finish_requests(struct drain *drain, struct server *server, uint64_t deadline_ms)
{
    svc__loops_enter(server, STAGE_CLOSE_IDLE);
    if (wait_until(drain, server, svc__loops_empty, deadline_ms))
        return true;
    atomic_store(&drain->service->app->draining, DRAIN_CUT);
    svc__loops_enter(server, STAGE_CUT);
    uint64_t cut_deadline = svc__clock_ms() + CUT_MS;
    while (!svc__loops_empty(server) && svc__clock_ms() < cut_deadline)
        wait_for_event(drain, 10);
    return svc__loops_empty(server) && !atomic_load(&server->cut_requests);
}

static bool tasks_ended(const struct server *server)
{
    return svc__task_stop_next(server->app);
}

/* Ends the tasks one after the other, so that they can finish the work that handlers have left; at
 * the deadline asks all of them to stop. Whether all ended before. */
static bool finish_tasks(struct drain *drain, uint64_t deadline_ms)
{
    uint64_t least_ms = svc__clock_ms() + CUT_MS;
    svc_app *app = drain->service->app;
    if (wait_until(drain, drain->service->server, tasks_ended,
                   deadline_ms > least_ms ? deadline_ms : least_ms))
        return true;
    size_t left = svc__task_stop_all(app);
    svc_app_log_warn(app, "background tasks have not ended in time", svc_kv_uint("tasks", left));
    return false;
}

static void log_stopped(const struct service *service, bool clean)
{
    const struct server *routes = service->routes;
    unsigned cut = atomic_load(&service->server->cut_requests);
    unsigned left = atomic_load(&service->server->connections);
    cut += routes ? atomic_load(&routes->cut_requests) : 0;
    left += routes ? atomic_load(&routes->connections) : 0;
    if (clean)
        svc_app_log_info(service->app, "stopped", svc_kv_uint("requests_cut", cut),
                         svc_kv_uint("connections_left", left));
    else
        svc_app_log_warn(service->app, "stopped", svc_kv_uint("requests_cut", cut),
                         svc_kv_uint("connections_left", left));
}

/* Ends everything, the app's hooks and its log included, unless a handler, a task or a readiness
 * check still runs: its requests no longer wait for a check, but it uses memory that would be
 * freed. Whether everything has ended. */
static bool end_threads(struct service *service, const struct pace *pace, uint64_t deadline_ms)
{
    svc_app *app = service->app;
    uint64_t least_ms = svc__clock_ms() + pace->end_ms;
    deadline_ms = deadline_ms > least_ms ? deadline_ms : least_ms;
    bool ended = !svc__service_end(service, deadline_ms);
    for (svc_app *each = app; each; each = each->admin)
        ended = !svc__workers_stop(each->workers, deadline_ms) && ended;
    if (!ended) {
        svc_app_log_warn(app, "a handler, task or readiness check does not return");
        svc__sink_stop(app->logger.sink, pace->flush_ms);
        return false;
    }
    svc__app_unready(app); /* its hooks may log, and name loops */
    svc__service_free(service);
    app->service = NULL;
    svc__logger_close(&app->logger, pace->flush_ms);
    return true;
}

/* Drains: from the wait for a stop to the last request and task. Whether nothing had to be cut. */
static bool run_drain(struct drain *drain)
{
    struct service *service = drain->service;
    while (!(drain->asked = svc__life_stops(service->app)))
        wait_for_event(drain, WAIT_LOOK_MS);
    announce(drain);
    drain->deadline_ms = svc__clock_ms() + service->app->config.drain_timeout_ms;
    stop_accepting(drain, drain->deadline_ms);
    bool clean = finish_requests(drain, service->server, drain->deadline_ms);
    if (clean)
        clean = finish_tasks(drain, drain->deadline_ms);
    else
        svc__task_stop_all(service->app); /* time is up for them too */
    if (service->routes) { /* last, so that one that hangs takes no time from the others */
        bool finished = finish_requests(drain, service->routes, clean ? drain->deadline_ms : 0);
        clean = clean && finished;
    }
    log_stopped(service, clean);
    return clean;
}

int svc__drain_run(struct service *service)
{
    bool signals = service->app->signals;
    struct drain drain = {.service = service, .signals_fd = signals ? svc__signals_fd() : -1};
    if (signals)
        svc__signals_read_in_order(true);
    bool clean = run_drain(&drain);
    if (signals)
        svc__signals_read_in_order(false); /* a stop hook may take for ever */
    bool ended = clean ? end_threads(service, &in_order, drain.deadline_ms)
                       : end_threads(service, &by_force, 0);
    return clean && ended ? 0 : SVC_EFORCED;
}
