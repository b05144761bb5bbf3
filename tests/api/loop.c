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

static void resume(struct waiting *waiting)
{
    loop_errors += svc_request_resume(waiting->req) != 0;
}

static void on_timer(void *arg)
{
    struct waiting *waiting = arg;
    svc_timer_free(waiting->timer);
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
    svc_app_hook(app, NULL, stop, NULL);
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
static char remedy[256];

static bool take_line(const svc_log_record *record, void *arg)
{
    (void)arg;
    if (strstr(record->message, "held its event loop") &&
        !strcmp(record->items[0].value.text, watched)) {
        stalls++;
        snprintf(remedy, sizeof remedy, "%s", record->message);
    }
    return true;
}

static void spin(unsigned ms)
{
    struct timespec from, now;
    clock_gettime(CLOCK_MONOTONIC, &from);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
}

/* One step of the coarse clock may be lost at either end. */
static int spin_long(svc_request *req, svc_response *res)
{
    spin(30 + 20);
    return hello(req, res);
}

static int spin_on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    spin(30 + 20);
    return SVC_PASS;
}

static void spin_on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                         const svc_done *done)
{
    (void)req, (void)res, (void)layer, (void)done;
    spin(30 + 20);
}

static int spin_in_read(svc_request *req, svc_response *res);

static void open_watched(uint64_t stall_ms)
{
    static const svc_middleware before = {
        .size = sizeof before, .name = "before", .on_request = spin_on_request};
    static const svc_middleware behind = {
        .size = sizeof behind, .name = "behind", .on_done = spin_on_done};
    static const svc_middleware *const on_request[] = {&before, NULL}, *const on_done[] = {&behind,
                                                                                           NULL};
    svc_config config = SVC_CONFIG_INIT;
    config.stall_ms = stall_ms;
    svc_app_configure(app, &config);
    svc_app_log_sink(app, take_line, NULL);
    svc_app_get(app, "/long", spin_long, NULL);
    svc_app_post(app, "/long", spin_long, NULL);
    svc_app_get(app, "/read", spin_in_read, NULL);
    add("/request", on_request);
    add("/done", on_done);
}

static int64_t read_slowly(void *state, char *data, size_t len)
{
    int *left = state;
    if (!len || !*left)
        return 0;
    spin(30 + 20);
    *data = 'x';
    --*left;
    return 1;
}

static int spin_in_read(svc_request *req, svc_response *res)
{
    static int left;
    (void)req;
    left = 1;
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_slowly;
    source.state = &left;
    return svc_response_source(res, 200, NULL, &source);
}

Test(loop, the_watchdog_tells_of_whatever_holds_the_loop_and_what_to_do)
{
    static const struct {
        const char *method, *target, *route;
    } rows[] = {{"GET", "/long", "GET /long"},
                {"POST", "/long", "POST /long"},
                {"GET", "/read", "GET /read"},
                {"GET", "/request", "/request"},
                {"GET", "/done", "/done"}};
    open_watched(30);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        watched = rows[i].route;
        svc_reply_free(svc_app_test_json(app, rows[i].method, rows[i].target, "{}"));
        cr_expect_eq(stalls, (int)i + 1, "%s %s", rows[i].method, rows[i].target);
        cr_expect(strstr(remedy, "SVC_BLOCKING") && strstr(remedy, "svc_request_defer"));
    }
    watched = "GET /long";
    cr_expect_eq(ask("/long"), 200);
    cr_expect_eq(stalls, 5, "told again within a minute");
    svc_app_free(app);
}

Test(loop, the_watchdog_can_be_off)
{
    open_watched(0);
    watched = "GET /long";
    cr_expect_eq(ask("/long"), 200);
    cr_expect_eq(stalls, 0);
    svc_app_free(app);
}
