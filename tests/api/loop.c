/* The loop as applications use it, through svc_app_test: requests that wait for a timer, a posted
 * function or a descriptor, and the watchdog. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>

static svc_app *app;

/* ---- A request that waits for something of the loop's */

struct waiting {
    int asked; /* how often on_request ran */
    svc_request *req;
    svc_timer *timer;
    svc_watch *watch;
    pthread_t thread;
    int ends[2];
};

static _Atomic int loop_errors;

/* How the callbacks hold their loop, if they do. */
static void (*hold)(void);

static void hold_loop(void)
{
    if (hold)
        hold();
}

static void resume(struct waiting *waiting)
{
    loop_errors += svc_request_resume(waiting->req) != 0;
}

static void on_timer(void *arg)
{
    struct waiting *waiting = arg;
    svc_timer_free(waiting->timer);
    hold_loop();
    resume(waiting);
}

static int wait_for_timer(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct waiting *waiting = layer->state;
    (void)res;
    if (waiting->asked++)
        return SVC_PASS;
    waiting->req = req;
    waiting->timer = svc_timer_new(svc_request_loop(req), on_timer, waiting);
    if (!waiting->timer)
        return SVC_ENOMEM;
    int error = svc_timer_set(waiting->timer, 20);
    return error ? error : SVC_WAIT;
}

static void on_post(void *arg)
{
    hold_loop();
    resume(arg);
}

static void *post_from_afar(void *arg)
{
    struct waiting *waiting = arg;
    loop_errors += svc_loop_post(svc_request_loop(waiting->req), on_post, waiting) != 0;
    return NULL;
}

static int wait_for_post(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct waiting *waiting = layer->state;
    (void)res;
    if (waiting->asked++) {
        pthread_join(waiting->thread, NULL);
        return SVC_PASS;
    }
    waiting->req = req;
    bool started = !pthread_create(&waiting->thread, NULL, post_from_afar, waiting);
    return started ? SVC_WAIT : SVC_ESYSTEM;
}

static void on_readable(unsigned events, void *arg)
{
    struct waiting *waiting = arg;
    char byte = 0;
    loop_errors += events != SVC_READABLE || read(waiting->ends[0], &byte, 1) != 1 || byte != 'x';
    svc_watch_free(waiting->watch);
    close(waiting->ends[0]);
    close(waiting->ends[1]);
    hold_loop();
    resume(waiting);
}

static int wait_for_pipe(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct waiting *waiting = layer->state;
    (void)res;
    if (waiting->asked++)
        return SVC_PASS;
    waiting->req = req;
    if (pipe2(waiting->ends, O_CLOEXEC | O_NONBLOCK))
        return SVC_ESYSTEM;
    waiting->watch =
        svc_watch_new(svc_request_loop(req), waiting->ends[0], SVC_READABLE, on_readable, waiting);
    if (!waiting->watch)
        return SVC_ENOMEM;
    return write(waiting->ends[1], "x", 1) == 1 ? SVC_WAIT : SVC_ESYSTEM;
}

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello");
}

#define WAITER(fn)                                                                                 \
    {                                                                                              \
        .size = sizeof(svc_middleware), .name = "waiter", .state_size = sizeof(struct waiting),    \
        .on_request = (fn)                                                                         \
    }

static const svc_middleware by_timer = WAITER(wait_for_timer), by_post = WAITER(wait_for_post),
                            by_pipe = WAITER(wait_for_pipe);

static void add(const char *pattern, const svc_middleware *const *layers)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = hello;
    route.middleware = layers;
    cr_assert_eq(svc_app_route(app, &route), 0);
}

static int ask(const char *target)
{
    svc_reply *reply = svc_app_test_get(app, target);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

static void open_app(void)
{
    app = svc_app_new("loop");
    cr_assert(app);
}

TestSuite(loop, .init = open_app);

Test(loop, a_request_may_wait_for_a_timer_a_post_and_a_descriptor)
{
    static const svc_middleware *const timer[] = {&by_timer, NULL},
                                       *const post[] = {&by_post, NULL},
                                       *const pipe[] = {&by_pipe, NULL},
                                       *const all[] = {&by_timer, &by_post, &by_pipe, NULL};
    add("/timer", timer);
    add("/post", post);
    add("/pipe", pipe);
    add("/all", all);
    static const char *const targets[] = {"/timer", "/post", "/pipe", "/all"};
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
            cr_expect_eq(ask(targets[i]), 200, "%s", targets[i]);
    cr_expect_eq(loop_errors, 0);
    svc_app_free(app);
}

/* ---- What a handler leaves behind */

static svc_loop *of_request;
static int posted_ran, ticks;
static svc_timer *ticker;

static void run_posted(void *arg)
{
    (void)arg;
    posted_ran++;
}

static void tick(void *arg)
{
    (void)arg;
    ticks++;
    svc_timer_set(ticker, 1);
}

/* A timer that stays from the first request on, and something to do behind each one. */
static int leave(svc_request *req, svc_response *res)
{
    of_request = svc_request_loop(req);
    if (!ticker) {
        ticker = svc_timer_new(of_request, tick, NULL);
        svc_timer_set(ticker, 1);
    }
    int error = svc_loop_post(of_request, run_posted, NULL);
    return error || posted_ran ? SVC_ESTATE : svc_response_text(res, 200, "left");
}

static int refused;

static void stop(svc_app *stopped, void *arg)
{
    (void)stopped, (void)arg;
    refused = svc_loop_post(of_request, run_posted, NULL);
    svc_timer_free(ticker);
}

Test(loop, what_a_handler_leaves_runs_later_and_ends_with_the_app)
{
    static const svc_middleware *const timer[] = {&by_timer, NULL};
    svc_app_get(app, "/leave", leave, NULL);
    add("/timer", timer);
    svc_app_add_hook(app, NULL, stop, NULL);
    cr_expect_null(svc_app_loop(app, 0));
    cr_expect_eq(ask("/leave"), 200);
    cr_expect_eq(posted_ran, 1, "before the call returns");
    cr_expect_eq(svc_app_loop(app, 0), of_request);
    cr_expect_null(svc_app_loop(app, 1));
    cr_expect_eq(ask("/timer"), 200);
    cr_expect_gt(ticks, 0, "while a later request waits");
    svc_app_free(app);
    cr_expect_eq(refused, SVC_ESTATE);
}

static int of_mounted(svc_request *req, svc_response *res)
{
    bool same = svc_app_loop(svc_request_app(req), 0) == svc_request_loop(req);
    return svc_response_text(res, same ? 200 : 500, "");
}

Test(loop, a_mounted_app_has_the_loops_of_the_one_that_serves)
{
    svc_app *inner = svc_app_new("inner");
    svc_app_get(inner, "/", of_mounted, NULL);
    svc_app_mount(app, "/inner", inner);
    cr_expect_eq(ask("/inner/"), 200);
    svc_app_free(app);
}

/* Of another thread than that of the test's call: its loop is not this thread's. */
Test(loop, things_of_a_loop_are_made_on_its_thread)
{
    svc_app_get(app, "/", hello, NULL);
    cr_expect_eq(ask("/"), 200);
    svc_loop *loop = svc_app_loop(app, 0);
    cr_expect_null(svc_timer_new(loop, tick, NULL));
    cr_expect_null(svc_watch_new(loop, STDIN_FILENO, SVC_READABLE, on_readable, NULL));
    cr_expect_eq(svc_loop_post(loop, run_posted, NULL), 0);
    svc_app_free(app);
    cr_expect_eq(posted_ran, 1, "what was taken runs at the end");
}

/* ---- The watchdog */

static int stalls;
static const char *watched; /* the route whose stalls count: a busy machine may hold others up */
static char advice[256];

static bool take_line(const svc_log_record *record, void *arg)
{
    (void)arg;
    if (strstr(record->message, "held its event loop") &&
        !strcmp(record->items[0].value.text, watched)) {
        stalls++;
        snprintf(advice, sizeof advice, "%s", record->message);
    }
    return true;
}

/* Both for longer than the limit: one step of the coarse clock may be lost at either end. */
enum { LIMIT_MS = 30, HOLD_MS = LIMIT_MS + 20 };

static void compute(void)
{
    struct timespec from, now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < HOLD_MS);
}

static void doze(void)
{
    const struct timespec time = {0, HOLD_MS * 1000000};
    nanosleep(&time, NULL);
}

static int hold_in_handler(svc_request *req, svc_response *res)
{
    hold_loop();
    return hello(req, res);
}

static int hold_on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    hold_loop();
    return SVC_PASS;
}

static int hold_on_body(svc_request *req, svc_response *res, const svc_layer *layer,
                        svc_piece *piece)
{
    (void)piece;
    return hold_on_request(req, res, layer);
}

static void hold_on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                         const svc_done *done)
{
    (void)req, (void)res, (void)layer, (void)done;
    hold_loop();
}

static int64_t hold_in_source(void *state, char *data, size_t len)
{
    int *left = state;
    if (!len || !*left)
        return 0;
    hold_loop();
    *data = 'x';
    --*left;
    return 1;
}

static int hold_in_read(svc_request *req, svc_response *res)
{
    static int left;
    (void)req;
    left = 1;
    svc_source source = SVC_SOURCE_INIT;
    source.read = hold_in_source;
    source.state = &left;
    return svc_response_source(res, 200, NULL, &source);
}

static void add_blocking(const char *pattern, const svc_middleware *const *layers)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = hold_in_handler; /* on a worker, where it may */
    route.flags = SVC_BLOCKING;
    route.middleware = layers;
    cr_assert_eq(svc_app_route(app, &route), 0);
}

#define LAYER(...)                                                                                 \
    {                                                                                              \
        .size = sizeof(svc_middleware), .name = "layer", __VA_ARGS__                               \
    }

static void open_watched(uint64_t stall_ms)
{
    static const svc_middleware request = LAYER(.on_request = hold_on_request),
                                done = LAYER(.on_done = hold_on_done),
                                blocking =
                                    LAYER(.on_request = hold_on_request, .flags = SVC_BLOCKING),
                                pieces = LAYER(.on_body = hold_on_body,
                                               .flags = SVC_BLOCKING | SVC_BODY_PIECES);
    static const svc_middleware
        *const on_request[] = {&request, NULL},
               *const on_done[] = {&done, NULL}, *const on_worker[] = {&blocking, NULL},
               *const on_pieces[] = {&pieces, NULL}, *const timer[] = {&by_timer, NULL},
               *const post[] = {&by_post, NULL}, *const watch[] = {&by_pipe, NULL};
    svc_config config = SVC_CONFIG_INIT;
    config.stall_ms = stall_ms;
    svc_app_configure(app, &config);
    svc_app_set_log_sink(app, take_line, NULL);
    svc_app_get(app, "/handler", hold_in_handler, NULL);
    svc_app_post(app, "/handler", hold_in_handler, NULL);
    svc_app_get(app, "/source", hold_in_read, NULL);
    svc_app_set_fallback(app, hold_in_handler, NULL);
    add("/request", on_request);
    add("/done", on_done);
    add("/timer", timer);
    add("/post", post);
    add("/watch", watch);
    add_blocking("/blocking", NULL);
    add_blocking("/blocking/layer", on_request);
    add_blocking("/blocking/worker", on_worker);
    add_blocking("/blocking/pieces", on_pieces);
}

static void expect_advice(const char *by, const char *who, const char *remedy)
{
    char begin[128];
    snprintf(begin, sizeof begin, "%s held its event loop %s: ", who, by);
    cr_expect(!strncmp(advice, begin, strlen(begin)), "%s: %s", begin, advice);
    cr_expect(strstr(advice, remedy), "%s: %s", remedy, advice);
}

/* Makes requests until one is blamed: what lost its processor while it held the loop is not. */
static void ask_until_blamed(const char *method, const char *target)
{
    enum { TRIES = 100 };
    int before = stalls;
    for (int i = 0; i < TRIES && stalls == before; i++)
        svc_reply_free(svc_app_test_json(app, method, target, "{}"));
    cr_expect_eq(stalls, before + 1, "%s %s", method, target);
}

static void expect_all_advice(const char *by, void (*how)(void))
{
    static const char mark_route[] = ": mark the route SVC_BLOCKING, or answer later with "
                                     "svc_request_defer",
                      mark_either[] = ": mark the route or the layer SVC_BLOCKING",
                      mark_layer[] = ": mark the layer SVC_BLOCKING",
                      thread[] = "hand its work to another thread";
    static const struct {
        const char *method, *target, *route, *who, *remedy;
    } rows[] = {
        {"GET", "/handler", "GET /handler", "a handler", mark_route},
        {"POST", "/handler", "POST /handler", "a handler", mark_route},
        {"GET", "/source", "GET /source", "the source of a response", "svc_response_writer"},
        {"GET", "/request", "/request", "a handler or a layer", mark_either},
        {"GET", "/done", "/done", "on_done of a layer", thread},
        {"GET", "/timer", "", "a timer", thread},
        {"GET", "/post", "", "a posted function", thread},
        {"GET", "/watch", "", "a watch", thread},
        {"GET", "/nothing", "", "the fallback or a layer", "svc_request_defer"},
        {"GET", "/blocking/layer", "/blocking/layer", "a layer", mark_layer},
        {"POST", "/blocking/pieces", "/blocking/pieces", "a layer", mark_layer}};
    open_watched(LIMIT_MS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hold = how;
        watched = rows[i].route;
        ask_until_blamed(rows[i].method, rows[i].target);
        expect_advice(by, rows[i].who, rows[i].remedy);
    }
    watched = "GET /handler";
    cr_expect_eq(ask("/handler"), 200);
    cr_expect_eq(stalls, 11, "told again within a minute");
    watched = "/blocking";
    cr_expect_eq(ask("/blocking"), 200);
    watched = "/blocking/worker";
    cr_expect_eq(ask("/blocking/worker"), 200);
    cr_expect_eq(stalls, 11, "workers may be held");
    hold = NULL;
    svc_app_free(app);
}

Test(loop, the_watchdog_tells_who_computes_on_the_loop_and_what_to_do)
{
    expect_all_advice("by computing", compute);
}

Test(loop, the_watchdog_tells_who_waits_on_the_loop_and_what_to_do)
{
    expect_all_advice("by waiting", doze);
}

Test(loop, the_watchdog_can_be_off)
{
    open_watched(0);
    watched = "GET /handler";
    hold = compute;
    cr_expect_eq(ask("/handler"), 200);
    cr_expect_eq(stalls, 0);
    svc_app_free(app);
}
