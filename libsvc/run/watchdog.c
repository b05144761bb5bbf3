/* What is counted and logged when the loop was held. */
#include "libsvc/run/watchdog.h"

#include <stdio.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/exchange/exchange.h"

enum { LOG_MS = 60000 }; /* between two lines about one route, or one sort of callback */

void svc__watchdog_init(struct watchdog *dog, svc_app *app)
{
    *dog = (struct watchdog){
        .app = app, .limit_ns = app->config.stall_ms * 1000000, .mark_ns = svc__clock_ns()};
    svc__watchdog_enter(dog);
}

void svc__watchdog_enter(struct watchdog *dog)
{
    dog->sample_ns = dog->limit_ns ? 0 : UINT64_MAX;
}

void svc__watchdog_sample(struct watchdog *dog, uint64_t now_ns)
{
    uint64_t least_ns = 1000000, pause_ns = dog->limit_ns / 4;
    svc__thread_usage(&dog->sample);
    dog->sampled_ns = now_ns;
    dog->sample_ns = now_ns + (pause_ns < least_ns ? least_ns : pause_ns);
    dog->waits = 0;
}

/*
 * The sample is older than the mark. What the thread may have run for in between does not count;
 * neither do as many waits as the loop had there. A thread that was never interrupted has waited,
 * or was stopped.
 */
enum hold svc__watchdog_hold(const struct watchdog *dog, uint64_t held_ns,
                             const struct thread_usage *now)
{
    const struct thread_usage *then = &dog->sample;
    if (!then->known || !now->known)
        return HOLD_UNKNOWN;
    uint64_t before_ns = dog->mark_ns - dog->sampled_ns, ran_ns = now->cpu_ns - then->cpu_ns;
    ran_ns = ran_ns > before_ns ? ran_ns - before_ns : 0;
    if (ran_ns >= dog->limit_ns || ran_ns >= held_ns / 4)
        return HOLD_COMPUTED;
    bool waited = now->waits - then->waits > dog->waits || now->preemptions == then->preemptions;
    return waited ? HOLD_WAITED : HOLD_NOT_RUN;
}

/* Whether it is this caller's to log: of loops that find out at once, one does. */
static bool may_log(_Atomic uint64_t *logged_ms)
{
    uint64_t now_ms = svc__clock_ms();
    uint64_t last_ms = atomic_load_explicit(logged_ms, memory_order_relaxed);
    if (last_ms && now_ms - last_ms < LOG_MS)
        return false;
    return atomic_compare_exchange_strong(logged_ms, &last_ms, now_ms);
}

/* Who held the loop, and the remedy. */
struct advice {
    const char *who, *remedy;
};

/* Whether a phase of the layer that was watched runs on the loop. */
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

/* Whether that is so of one that is not of the default stack, which comes first. Who answers a
 * request that no route has may be a mounted app. */
static bool has_layer_on_loop(const svc_app *app, const struct route *route, enum watched what)
{
    const struct chain *chain = route ? &route->chain : &app->plan->apps->fallback.chain;
    for (size_t i = app->plan->default_layers; i < chain->count; i++)
        if (is_on_loop(&chain->layers[i], what))
            return true;
    return !route && app->mounts;
}

/* NULL: nothing of the application's was on the loop. */
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

/* A line of no request, which may be another thread's by now. */
static void log_hold(struct watchdog *dog, const char *message, svc_kv route, uint64_t held_ns,
                     const struct thread_usage *now)
{
    uint64_t ran_ns = now->cpu_ns - dog->sample.cpu_ns;
    bool known = now->known && dog->sample.known;
    svc_app_log_warn(dog->app, message, route, svc_kv_uint("held_ms", held_ns / 1000000),
                     svc_kv_int("cpu_ms", known ? (int64_t)(ran_ns / 1000000) : -1),
                     svc_kv_uint("stall_ms", dog->limit_ns / 1000000));
}

static void bark_at_system(struct watchdog *dog, const char *pattern, uint64_t held_ns,
                           const struct thread_usage *now)
{
    struct stalls *stood = &dog->app->standstills;
    atomic_fetch_add_explicit(&stood->count, 1, memory_order_relaxed);
    if (may_log(&stood->logged_ms))
        log_hold(dog,
                 "an event loop stood still, by no fault of a handler: the machine or a quota gave "
                 "it no processor or no memory, or the process was stopped",
                 svc_kv_str("during", pattern), held_ns, now);
}

void svc__watchdog_bark(struct watchdog *dog, enum watched what, const struct route *of,
                        uint64_t held_ns)
{
    static const char *const by[] = {"", " by computing", " by waiting", ""};
    bool routed = of && of->pattern.text[0];
    const struct route *route = routed ? of : &dog->app->plan->apps->fallback;
    const struct advice *advice = advise(dog->app, what, of);
    struct thread_usage now;
    svc__thread_usage(&now);
    enum hold hold = svc__watchdog_hold(dog, held_ns, &now);
    if (!advice || hold == HOLD_NOT_RUN) {
        bark_at_system(dog, route->pattern.text, held_ns, &now);
        return;
    }
    atomic_fetch_add_explicit(&route->stalls->count, 1, memory_order_relaxed);
    if (!may_log(of ? &route->stalls->logged_ms : &dog->app->stalls_logged_ms[what]))
        return;
    char message[256];
    snprintf(message, sizeof message, "%s held its event loop%s: %s", advice->who, by[hold],
             advice->remedy);
    log_hold(dog, message, svc_kv_str("pattern", route->pattern.text), held_ns, &now);
}

static void put_stalls(struct buf *out, const char *name, const struct route *route)
{
    uint64_t stalls = atomic_load_explicit(&route->stalls->count, memory_order_relaxed);
    if (stalls)
        svc__metric_put_labelled(out, name, "route", route->pattern.text, stalls);
}

static void put_all(struct buf *out, const char *name, void *arg)
{
    const svc_app *app = arg;
    put_stalls(out, name, &app->plan->apps->fallback);
    for (size_t i = 0; i < app->plan->route_count; i++)
        put_stalls(out, name, &app->plan->routes[i]);
}

static void put_standstills(struct buf *out, const char *name, void *arg)
{
    const svc_app *app = arg;
    uint64_t count = atomic_load_explicit(&app->standstills.count, memory_order_relaxed);
    svc__buf_printf(out, "%s %llu\n", name, (unsigned long long)count);
}

int svc__watchdog_register(svc_app *app)
{
    int id = svc__metric_counters_fn(
        app->metrics, "svc_loop_stalls_total",
        "Times that a handler, layer or callback held an event loop for stall_ms.", put_all, app);
    if (id != SVC_ENOMEM)
        id = svc__metric_counters_fn(
            app->metrics, "svc_loop_standstills_total",
            "Times that the system kept an event loop from running for stall_ms.", put_standstills,
            app);
    return id == SVC_ENOMEM ? id : 0;
}
