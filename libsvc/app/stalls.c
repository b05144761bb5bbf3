/* Counts and logs each time that an event loop of the app was held. */
#include "libsvc/app/stalls.h"

#include <stdio.h>

#include "libsvc/app/app_internal.h"

enum { LOG_MS = 60000 }; /* between two lines about one route, or one sort of callback */

/* Whether this caller shall log: of loops that notice at the same time, one does. */
static bool may_log(_Atomic uint64_t *logged_ms)
{
    uint64_t now_ms = svc__clock_ms();
    uint64_t last_ms = atomic_load_explicit(logged_ms, memory_order_relaxed);
    if (last_ms && now_ms - last_ms < LOG_MS)
        return false;
    return atomic_compare_exchange_strong(logged_ms, &last_ms, now_ms);
}

/* The code that held the loop, and the remedy. */
struct advice {
    const char *who, *remedy;
};

/* Whether the watched phase of the layer runs on the loop. */
static bool is_on_loop(const struct chain_layer *layer, enum watched what)
{
    const svc_middleware *middleware = layer->middleware;
    if (what == WATCHED_DONE)
        return middleware->on_done;
    if (middleware->on_body && middleware->flags & SVC_BODY_PIECES)
        return true;
    return !layer->blocks &&
           (middleware->on_request || middleware->on_response || middleware->on_body);
}

/* Whether this is true of a layer behind the default stack, which comes first. A request without a
 * route may also be answered by a mounted app. */
static bool has_layer_on_loop(const svc_app *app, const struct route *route, enum watched what)
{
    const struct plan *plan = app->plan;
    const struct chain *chain = route ? &route->chain : &plan->apps->fallback.chain;
    for (size_t i = plan->default_layers; i < chain->count; i++)
        if (is_on_loop(&chain->layers[i], what))
            return true;
    return !route && plan->app_count > 1;
}

/* NULL: no code of the application was on the loop. */
static const struct advice *advise_request(const svc_app *app, const struct route *route)
{
    static const struct advice handler = {"a handler",
                                          "mark the route SVC_BLOCKING, or answer later with "
                                          "svc_request_defer"},
                               either = {"a handler or a layer",
                                         "mark the route or the layer SVC_BLOCKING, or answer "
                                         "later with svc_request_defer"},
                               fallback = {"the fallback or a layer",
                                           "mark the layer SVC_BLOCKING, or answer later with "
                                           "svc_request_defer"},
                               layer = {"a layer", "mark the layer SVC_BLOCKING"};
    bool layers = has_layer_on_loop(app, route, WATCHED_REQUEST);
    bool handles = route && !(route->flags & SVC_BLOCKING);
    if (!handles)
        return layers ? &layer : NULL;
    if (!route->pattern.text[0])
        return &fallback;
    return layers ? &either : &handler;
}

static const struct advice *advise(const svc_app *app, enum watched what, const struct route *route)
{
    static const struct advice others[WATCHED_KINDS] = {
        [WATCHED_SOURCE] = {"the source of a response",
                            "neither SVC_BLOCKING nor svc_request_defer moves it to a worker, but "
                            "svc_response_writer does"},
        [WATCHED_DONE] = {"on_done of a layer", "neither SVC_BLOCKING nor svc_request_defer moves "
                                                "it to a worker: hand its work to another thread"},
        [WATCHED_POST] = {"a posted function", "hand its work to another thread"},
        [WATCHED_TIMER] = {"a timer", "hand its work to another thread"},
        [WATCHED_WATCH] = {"a watch", "hand its work to another thread"},
    };
    if (what == WATCHED_REQUEST)
        return advise_request(app, route);
    if (what == WATCHED_DONE && !has_layer_on_loop(app, route, what))
        return NULL;
    return others[what].who ? &others[what] : NULL;
}

/* The line belongs to no request, since another thread may have the request by now. */
static void log_stall(svc_app *app, const char *message, svc_kv route, const struct stall *stall)
{
    svc_app_log_warn(app, message, route, svc_kv_uint("held_ms", stall->held_ns / 1000000),
                     svc_kv_int("cpu_ms", stall->ran_ns < 0 ? -1 : stall->ran_ns / 1000000),
                     svc_kv_uint("stall_ms", stall->limit_ns / 1000000));
}

static void count_standstill(svc_app *app, const char *pattern, const struct stall *stall)
{
    struct stall_count *stood = &app->standstills;
    atomic_fetch_add_explicit(&stood->count, 1, memory_order_relaxed);
    if (may_log(&stood->logged_ms))
        log_stall(
            app,
            "an event loop stood still, by no fault of a handler: the machine or a quota gave "
            "it no processor or no memory, or the process was stopped",
            svc_kv_str("during", pattern), stall);
}

/* The watchdog's bark. */
static void count_stall(void *arg, const struct stall *stall)
{
    static const char *const by[] = {"", " by computing", " by waiting", ""};
    svc_app *app = arg;
    const struct route *of = stall->subject;
    bool routed = of && of->pattern.text[0];
    const struct route *route = routed ? of : &app->plan->apps->fallback;
    const struct advice *advice = advise(app, stall->what, of);
    if (!advice || stall->hold == HOLD_NOT_RUN) {
        count_standstill(app, route->pattern.text, stall);
        return;
    }
    atomic_fetch_add_explicit(&route->stalls->count, 1, memory_order_relaxed);
    if (!may_log(of ? &route->stalls->logged_ms : &app->stalls_logged_ms[stall->what]))
        return;
    char message[256];
    snprintf(message, sizeof message, "%s held its event loop%s: %s", advice->who, by[stall->hold],
             advice->remedy);
    log_stall(app, message, svc_kv_str("pattern", route->pattern.text), stall);
}

void svc__stalls_watch(svc_app *app, struct watchdog *dog)
{
    svc__watchdog_init(dog, app->config.stall_ms * 1000000, count_stall, app);
}

static void give_route(struct metric_walk *walk, const struct route *route)
{
    uint64_t stalls = atomic_load_explicit(&route->stalls->count, memory_order_relaxed);
    if (stalls)
        svc__metric_give(walk, route->pattern.text, stalls);
}

static void give_stalls(struct metric_walk *walk, void *arg)
{
    const svc_app *app = arg;
    give_route(walk, &app->plan->apps->fallback);
    for (size_t i = 0; i < app->plan->route_count; i++)
        give_route(walk, &app->plan->routes[i]);
}

static void give_standstills(struct metric_walk *walk, void *arg)
{
    const svc_app *app = arg;
    svc__metric_give(walk, "", atomic_load_explicit(&app->standstills.count, memory_order_relaxed));
}

int svc__stalls_register(svc_app *app)
{
    int id = svc__metric_counters_fn(
        app->metrics, "svc_loop_stalls_total",
        "Times that a handler, layer or callback held an event loop for stall_ms.", "route",
        give_stalls, app);
    if (id != SVC_ENOMEM)
        id = svc__metric_counters_fn(
            app->metrics, "svc_loop_standstills_total",
            "Times that the system kept an event loop from running for stall_ms.", NULL,
            give_standstills, app);
    return id == SVC_ENOMEM ? id : 0;
}
