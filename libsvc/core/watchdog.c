/* What is counted and told when the loop was held. */
#include "libsvc/core/watchdog.h"

#include "libsvc/core/app_internal.h"
#include "libsvc/core/exchange.h"

enum { TELL_MS = 60000 }; /* between two lines about one route */

void svc__watchdog_init(struct watchdog *dog, svc_app *app)
{
    *dog = (struct watchdog){app, app->config.stall_ms * 1000000, svc__clock_ns()};
}

/* Whether it is this caller's to tell: of loops that find out at once, one does. */
static bool may_tell(struct route *route)
{
    uint64_t now_ms = svc__clock_ms();
    uint64_t told_ms = atomic_load_explicit(&route->stall_told_ms, memory_order_relaxed);
    if (told_ms && now_ms - told_ms < TELL_MS)
        return false;
    return atomic_compare_exchange_strong(&route->stall_told_ms, &told_ms, now_ms);
}

/* A line of no request, which may be another thread's by now. */
void svc__watchdog_bark(struct watchdog *dog, const struct route *of, uint64_t held_ns)
{
    struct route *route = of ? (struct route *)(uintptr_t)of : &dog->app->fallback;
    atomic_fetch_add_explicit(&route->stalls, 1, memory_order_relaxed);
    if (!may_tell(route))
        return;
    const char *message =
        of ? "a handler or layer held its event loop: mark the route SVC_BLOCKING, "
             "or answer later with svc_request_defer"
           : "a posted function, timer, watch, or layer of a request without a "
             "route held its event loop: do its work on another thread";
    svc_app_log_warn(dog->app, message, svc_kv_str("pattern", route->pattern.text),
                     svc_kv_uint("held_ms", held_ns / 1000000),
                     svc_kv_uint("stall_ms", dog->limit_ns / 1000000));
}

static void put_stalls(struct buf *out, const char *name, const struct route *route)
{
    uint64_t stalls = atomic_load_explicit(&route->stalls, memory_order_relaxed);
    if (stalls)
        svc__metric_put_labelled(out, name, "route", route->pattern.text, stalls);
}

static void put_all(struct buf *out, const char *name, void *arg)
{
    const svc_app *app = arg;
    put_stalls(out, name, &app->fallback);
    for (const struct route *route = app->routes; route; route = route->next)
        put_stalls(out, name, route);
}

int svc__watchdog_register(svc_app *app)
{
    int id = svc__metric_counters_fn(
        app->metrics, "svc_loop_stalls_total",
        "Times that a handler, layer or callback held an event loop for stall_ms.", put_all, app);
    return id == SVC_ENOMEM ? id : 0;
}
