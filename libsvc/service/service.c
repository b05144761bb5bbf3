/* Starts and ends the servers, tasks and checks of one app. */
#include "libsvc/service/service.h"

#include <stdlib.h>

#include "libsvc/app/task.h"
#include "libsvc/base/clock.h"
#include "libsvc/fronts/http1/http1_front.h"
#include "libsvc/fronts/mhd/mhd_front.h"
#include "libsvc/ops/admin.h"
#include "libsvc/ops/debug_guard.h"
#include "libsvc/ops/process_metrics.h"
#include "libsvc/server/census.h"
#include "libsvc/server/loops.h"
#include "libsvc/service/cpus.h"

enum { ADMIN_LOOPS = 1 /* of each of its servers */ };

/* The fronts of a service, by the setting http1. */
static const struct front *const fronts[] = {
    [SVC_HTTP1_LIBMICROHTTPD] = &svc__mhd_front, [SVC_HTTP1_NATIVE] = &svc__http1_front, NULL};
_Static_assert(sizeof fronts / sizeof *fronts <= SERVER_FRONTS_MAX + 1, "a server speaks all");

static double lines_dropped(void *arg)
{
    return (double)svc__sink_dropped(arg);
}

static double lines_written(void *arg)
{
    return (double)svc__sink_written(arg);
}

static double reopen_failures(void *arg)
{
    return (double)svc__sink_reopen_failures(arg);
}

static void register_metrics(struct service *service)
{
    struct metrics *in = service->app->metrics;
    struct sink *sink = service->app->logger.sink;
    svc__process_metrics_register(in);
    service->shown = (struct shown_servers){service->server, service->admin};
    svc__server_gauges_register(in, &service->shown);
    svc__metric_fn(in, METRIC_COUNTER, "svc_log_lines_dropped_total",
                   "Log lines that found no room.", lines_dropped, sink);
    svc__metric_fn(in, METRIC_COUNTER, "svc_log_lines_written_total", "Log lines written.",
                   lines_written, sink);
    svc__metric_fn(in, METRIC_COUNTER, "svc_log_reopen_failures_total",
                   "Times that the log's file could not be opened again.", reopen_failures, sink);
}

/* Requests for no page of the library go to a server that has its own loop. */
static int open_admin_routes(struct service *service)
{
    svc_app *app = service->app;
    int error;
    if (!app->admin)
        return 0;
    service->routes = svc__server_new(app->admin, app, NULL, service->admin->fronts, &error);
    if (!service->routes)
        return error;
    service->admin->behind = service->routes;
    service->admin->one_request = service->routes->one_request = true;
    return 0;
}

/* Refuses to show the pages below /debug/ to whoever reaches the machine, unless that was meant. */
static int check_debug_pages(struct service *service)
{
    const struct listeners *listeners = &service->admin->listeners;
    svc_app *app = service->app;
    int error = 0;
    if (!svc__debug_guard_is_open(&app->config))
        return 0;
    for (size_t i = 0; i < listeners->count; i++) {
        if (svc__listen_is_private(&listeners->all[i]))
            continue;
        svc__faults_add(&app->faults, NULL, 0,
                        "setting debug_pages: other machines reach \"%s\": set admin_token_file, "
                        "or debug_open",
                        listeners->all[i].address);
        error = SVC_ECONFIG;
    }
    return error;
}

static int open_admin(struct service *service)
{
    svc_app *app = service->app;
    if (!*app->config.admin_listen)
        return 0;
    int error = SVC_ENOMEM;
    service->checks = svc__checks_new(app);
    service->gauges = svc__asked_gauges_new(app);
    if (service->checks && service->gauges)
        service->admin_app = svc__admin_new(app, service->checks, service->gauges, &error);
    if (!service->admin_app)
        return error;
    service->admin =
        svc__server_new(service->admin_app, app, app->config.admin_listen, fronts, &error);
    if (service->admin)
        error = check_debug_pages(service);
    return error ? error : open_admin_routes(service);
}

static int open_server(struct service *service)
{
    int error;
    service->server =
        svc__server_new(service->app, service->app, service->app->config.listen, fronts, &error);
    return service->server ? 0 : error;
}

/* The first front of a list of listeners that cannot read a body while it sends the reply; NULL if
 * each can. The check of the settings has reported texts that do not parse. */
static const struct front *find_half_duplex(const svc_app *app, const char *addresses)
{
    const struct front *lacks = NULL;
    struct bytes rest = svc__bytes_z(addresses);
    while (rest.data && !lacks) {
        struct listen_text text;
        const char *reason;
        if (svc__listen_text_parse(svc__listen_text_next(&rest), &text, &reason))
            continue;
        const struct front *front = svc__listen_front(app, fronts, &text);
        lacks = front && !front->reads_on ? front : NULL;
    }
    return lacks;
}

/* Refuses routes that a front of their listeners cannot serve, so that no client finds out by
 * waiting. */
static int check_routes(svc_app *app, const struct front *lacks)
{
    int error = 0;
    for (size_t i = 0; lacks && app && app->plan && i < app->plan->route_count; i++) {
        const struct route *route = &app->plan->routes[i];
        if (!(route->flags & SVC_DUPLEX))
            continue;
        svc__faults_add(
            &app->faults, route->pattern.file, route->pattern.line,
            "the route reads its body while it answers (SVC_DUPLEX), which the front %s cannot do",
            lacks->name);
        error = SVC_EROUTES;
    }
    return error;
}

int svc__service_open(svc_app *app, struct service **out)
{
    const svc_config *config = &app->config;
    int error = check_routes(app, find_half_duplex(app, config->listen));
    int admin_error = check_routes(app->admin, find_half_duplex(app, config->admin_listen));
    if (error || admin_error)
        return SVC_EROUTES;
    struct service *service = calloc(1, sizeof *service);
    if (!service)
        return SVC_ENOMEM;
    service->app = app;
    error = open_admin(service);
    int server_error = open_server(service);
    error = error ? error : server_error;
    if (error)
        svc__service_free(service);
    else
        *out = service;
    return error;
}

static void log_started(const struct service *service)
{
    const struct listeners *listeners = &service->server->listeners;
    for (size_t i = 0; i < listeners->count; i++)
        svc_app_log_info(service->app, "listening",
                         svc_kv_str("address", listeners->all[i].address),
                         svc_kv_str("front", listeners->all[i].front->name),
                         svc_kv_uint("loops", service->server->loop_count));
    if (service->app->config.development)
        svc_app_log_warn(service->app, "development mode: replies reveal internals");
    if (service->admin)
        svc_app_log_info(service->app, "admin pages",
                         svc_kv_str("address", service->admin->listeners.all[0].address),
                         svc_kv_str("front", service->admin->listeners.all[0].front->name));
    else if (service->app->admin)
        svc_app_log_warn(service->app, "admin routes are not served: there is no admin listener");
}

static int make_loops(struct service *service, size_t loops)
{
    struct logger *logger = &service->app->logger;
    int error = 0;
    if (service->admin)
        error = svc__loops_make(service->admin, logger, ADMIN_LOOPS);
    if (!error && service->routes)
        error = svc__loops_make(service->routes, logger, ADMIN_LOOPS);
    return error ? error : svc__loops_make(service->server, logger, loops);
}

/* The service's own loops come first, whatever is asked. */
static int make_census(struct service *service)
{
    struct census *census = service->app->census = svc__census_new();
    if (!census)
        return SVC_ENOMEM;
    int error = svc__census_add(census, "service", service->server);
    if (!error && service->routes)
        error = svc__census_add(census, "admin routes", service->routes);
    if (!error && service->admin)
        error = svc__census_add(census, "admin pages", service->admin);
    return error;
}

/* Wakes the drain to check whether all tasks have ended. */
static void task_ended(void *server)
{
    svc__server_notify(server);
}

/* Everything is made, and has registered its metrics, before a thread runs that could read them.
 * Tasks are started before the requests that give them work. Probes are answered before requests,
 * so that no one sees the service serve without being ready. */
static int start_threads(struct service *service)
{
    int error = svc__task_start(service->app, task_ended, service->server);
    if (error)
        return error; /* the call has kept a set-up error */
    error = service->checks ? svc__checks_start(service->checks) : 0;
    if (error)
        return error; /* likewise */
    error = service->routes ? svc__loops_start(service->routes) : 0;
    if (!error && service->admin)
        error = svc__loops_start(service->admin);
    error = error ? error : svc__loops_start(service->server);
    if (error && error != SVC_ESTART) /* which the failed hook of a loop has reported */
        svc__faults_add(&service->app->faults, NULL, 0,
                        "the threads of event loops cannot be made");
    return error;
}

int svc__service_start(struct service *service)
{
    const svc_app *app = service->app;
    size_t loops = app->config.threads ? (size_t)app->config.threads : svc__cpus_usable();
    register_metrics(service);
    int error = make_loops(service, loops);
    if (!error)
        error = make_census(service);
    if (!error)
        error = start_threads(service);
    if (!error)
        log_started(service);
    return error;
}

int svc__service_end(struct service *service, uint64_t deadline_ms)
{
    int error = svc__loops_end(service->server, deadline_ms);
    int task_error = svc__task_end(service->app, deadline_ms);
    error = error ? error : task_error;
    int checks_error = svc__checks_stop(service->checks, deadline_ms);
    error = error ? error : checks_error;
    int gauges_error = svc__asked_gauges_stop(service->gauges, deadline_ms);
    error = error ? error : gauges_error;
    int routes_error = svc__loops_end(service->routes, deadline_ms);
    error = error ? error : routes_error;
    int admin_error = svc__loops_end(service->admin, deadline_ms);
    return error ? error : admin_error;
}

void svc__service_free(struct service *service)
{
    svc__metrics_end_fns(service->app->metrics);
    if (service->app->admin)
        svc__metrics_end_fns(service->app->admin->metrics);
    /* The admin server is freed first, since its pages read the server. */
    svc__loops_free(service->admin);
    svc__server_free(service->admin);
    svc__loops_free(service->routes);
    svc__server_free(service->routes);
    svc__loops_free(service->server);
    svc__server_free(service->server);
    svc__census_free(service->app->census);
    service->app->census = NULL;
    svc_app_free(service->admin_app);
    svc__checks_free(service->checks);
    svc__asked_gauges_free(service->gauges);
    free(service);
}
