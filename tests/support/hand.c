/* Exchanges without an app. */
#include "tests/support/hand.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/clock.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/route/plant.h"
#include "libsvc/run/workers.h"

enum { HAND_WAIT_MS = 60000 }; /* for what is to come at once */

struct hand hand;

static void count_news(struct transport *transport)
{
    cr_expect_eq(transport, &hand.transport);
    hand.news++;
}

static void count_wake(struct exchange_host *home, struct exchange *x)
{
    cr_expect_eq(x->home, home);
    atomic_fetch_add(&hand.wakes, 1);
}

static bool take_line(const svc_log_record *record, void *arg)
{
    (void)arg;
    hand.logged++;
    snprintf(hand.last_logged, sizeof hand.last_logged, "%s", record->message);
    return true;
}

void hand_open(void)
{
    hand.config = (svc_config)SVC_CONFIG_INIT;
    cr_assert_eq(svc__logger_init(&hand.logger, "by hand"), 0);
    hand.logger.taker = take_line;
    svc__logger_configure(&hand.logger, &hand.config);
    hand.transport = (struct transport){count_news, "http", &hand.peer};
    hand.home = (struct exchange_host){.wake = count_wake, .loop = &hand.loop};
    svc__buf_init(&hand.home.scratch, 65536);
    hand.plan = hand_plan();
}

void hand_close(void)
{
    cr_expect_eq(hand.home.away, 0, "an exchange is held still");
    svc__plan_free(hand.plan);
    svc__buf_free(&hand.home.scratch);
    svc__logger_free(&hand.logger);
}

struct plan *hand_plan(void)
{
    struct plan *plan = calloc(1, sizeof *plan);
    cr_assert(plan);
    svc__arena_init(&plan->memory, NULL, SIZE_MAX);
    plan->config = &hand.config;
    plan->draining = &hand.draining;
    plan->logger = &hand.logger;
    plan->apps = svc__arena_zalloc(&plan->memory, HAND_APPS * sizeof *plan->apps);
    plan->routes = svc__arena_zalloc(&plan->memory, HAND_ROUTES * sizeof *plan->routes);
    cr_assert(plan->apps && plan->routes);
    plan->apps[plan->app_count++] = (struct plan_app){.config = plan->config};
    return plan;
}

static void parse_pattern(struct plan *plan, const char *text, struct pattern *out)
{
    struct buf why;
    svc__buf_init(&why, 4096);
    cr_assert_eq(svc__pattern_parse(&plan->memory, text, "hand.c", 1, out, &why), 0, "%s", text);
    svc__buf_free(&why);
}

struct plan_app *hand_mount(struct plan *plan, const char *path, svc_app *app)
{
    char below[64];
    cr_assert_lt(plan->app_count, HAND_APPS);
    struct plan_app *mounted = &plan->apps[plan->app_count++];
    *mounted =
        (struct plan_app){.app = app, .config = plan->config, .mounted_at = svc__bytes_z(path)};
    snprintf(below, sizeof below, "%s/", path);
    parse_pattern(plan, below, &mounted->prefix);
    return mounted;
}

struct route *hand_route(struct plan *plan, const struct plan_app *owner, const char *pattern,
                         svc_handler *handler)
{
    cr_assert_lt(plan->route_count, HAND_ROUTES);
    struct route *route = &plan->routes[plan->route_count++];
    parse_pattern(plan, pattern, &route->pattern);
    route->owner = owner;
    route->handler = handler;
    route->timeout_ms = (unsigned)plan->config->request_timeout_ms;
    route->max_body = (size_t)plan->config->max_body_bytes;
    return route;
}

void hand_layer(struct plan *plan, struct chain *chain, const svc_middleware *middleware)
{
    if (!chain->layers)
        chain->layers = svc__arena_zalloc(&plan->memory, HAND_LAYERS * sizeof *chain->layers);
    cr_assert(chain->layers && chain->count < HAND_LAYERS);
    svc__chain_append(chain, middleware, plan->apps->app);
}

void hand_plant(struct plan *plan)
{
    const struct pattern *patterns[HAND_ROUTES];
    for (size_t i = 0; i < plan->route_count; i++)
        patterns[i] = &plan->routes[i].pattern;
    plan->tree = svc__plant_tree(patterns, plan->route_count);
    cr_assert(plan->tree);
}

struct exchange *hand_exchange(void)
{
    struct exchange *x = svc__exchange_make(hand.plan, &hand.home);
    cr_assert(x);
    x->transport = &hand.transport;
    x->chain = &hand.plan->apps->fallback.chain;
    x->request.method = svc__bytes_z("GET");
    x->request.deadline_ns = UINT64_MAX / 2;
    x->framing.chunks = true;
    return x;
}

struct exchange *hand_begin(const struct plan *plan, const char *method, const char *target,
                            const char *const *fields)
{
    enum { FIELDS = 16 };
    static struct field list[FIELDS];
    size_t count = 0;
    list[count++] = (struct field){svc__bytes_z("Host"), svc__bytes_z("a")};
    for (; fields && *fields && count < FIELDS; fields += 2)
        list[count++] = (struct field){svc__bytes_z(fields[0]), svc__bytes_z(fields[1])};
    struct head head = {svc__bytes_z(method), svc__bytes_z(target), 1, list, count, 0};
    head.bytes = svc__head_size(&head);
    struct exchange *x = svc__dispatch_new(plan, &hand.home, &hand.transport, head.target_raw);
    cr_assert(x);
    svc__dispatch_head(x, &head);
    return x;
}

void hand_end(struct exchange *x)
{
    svc__dispatch_done(x, SVC_COMPLETE, 0);
    svc__exchange_unref(x);
}

static void *begin_worker(void *arg)
{
    return arg;
}

static void end_worker(void *state)
{
    cr_expect_eq(state, &hand.worker);
}

static void note_failed(void *arg, int error)
{
    (void)arg, (void)error;
}

void hand_open_workers(size_t max_queued)
{
    const struct workers_options options = {.max = 1,
                                            .max_queued = max_queued,
                                            .idle_ms = 3600000,
                                            .begin = begin_worker,
                                            .end = end_worker,
                                            .failed = note_failed,
                                            .arg = &hand.worker};
    hand.worker.worker = (struct app_worker *)(void *)&hand.worker; /* nobody looks into it */
    svc__buf_init(&hand.worker.scratch, 65536);
    hand.plan->workers = svc__workers_new(&options);
    cr_assert(hand.plan->workers);
}

void hand_close_workers(void)
{
    cr_expect_eq(svc__workers_stop(hand.plan->workers, svc__clock_ms() + HAND_WAIT_MS), 0);
    svc__workers_free(hand.plan->workers);
    svc__buf_free(&hand.worker.scratch);
}

void hand_await_wakes(unsigned wakes)
{
    uint64_t due_ms = svc__clock_ms() + HAND_WAIT_MS;
    while (hand.wakes < wakes && svc__clock_ms() < due_ms)
        sched_yield();
    cr_assert_geq(hand.wakes, wakes);
}

void hand_exhaust(struct arena *arena)
{
    for (size_t size = EXCHANGE_MEMORY; size > 0; size /= 2)
        while (svc__arena_alloc(arena, size))
            continue;
}
