/*
 * Exchanges whose body comes while their reply goes out, and replies whose head waits, each against
 * a deadline and a client that leaves: a program of its own so that the thread sanitizer sees the
 * threads. Whatever comes first, the reply is whole or cut, and whoever makes it is let go.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

enum { ROUNDS = 60, BODY = 300000 };

static bool failed;

static void expect_that(bool is_so, const char *expected, long long number)
{
    if (is_so)
        return;
    printf("WRONG: %s (%lld)\n", expected, number);
    failed = true;
}

static _Atomic int writers; /* that run: one whose answer is never sent is not called */

/* ---- Both ways at a time */

static int64_t echo(svc_request *req, svc_pipe *pipe)
{
    char data[1000];
    int64_t n;
    while ((n = svc_request_read(req, data, sizeof data)) > 0) {
        int error = svc_pipe_write(pipe, data, (size_t)n);
        if (error)
            return error;
    }
    return n;
}

static int write_echo(svc_pipe *pipe, void *req)
{
    atomic_fetch_add(&writers, 1);
    int64_t end = echo(req, pipe);
    atomic_fetch_sub(&writers, 1);
    return (int)end;
}

static int answer_echo(svc_request *req, svc_response *res)
{
    return svc_response_writer(res, 200, "text/plain", write_echo, req);
}

/* Beside the thread that reads and writes another one looks at its request. */
static void *echo_later(void *arg)
{
    svc_pending *pending = arg;
    svc_pipe *pipe = svc_pipe_new(1000);
    svc_response *res = svc_response_new();
    svc_response_pipe(res, 200, "text/plain", svc_pipe_ref(pipe));
    svc_pending_complete(pending, res);
    int64_t end = echo(svc_pending_request(pending), pipe);
    svc_pipe_end(pipe, (int)end);
    svc_pipe_unref(pipe);
    atomic_fetch_sub(&writers, 1); /* first: svc_app_free waits for the pending answer alone */
    svc_pending_unref(pending);
    return NULL;
}

static int answer_from_thread(svc_request *req, svc_response *res)
{
    (void)res;
    pthread_t thread;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    atomic_fetch_add(&writers, 1);
    if (pthread_create(&thread, NULL, echo_later, pending))
        abort();
    pthread_detach(thread);
    return 0;
}

/* ---- Heads that wait */

struct held {
    svc_response *res;
    unsigned turns; /* before the first byte */
};

/* Changes the reply until its first byte, and goes on when nobody wants it any more. */
static int write_held(svc_pipe *pipe, void *arg)
{
    struct held *held = arg;
    char value[16];
    atomic_fetch_add(&writers, 1);
    for (unsigned i = 0; i < held->turns; i++) {
        snprintf(value, sizeof value, "%u", i);
        svc_response_set_header(held->res, "X-Turn", value);
        svc_response_set_status(held->res, 200 + (int)(i % 2));
        sched_yield();
    }
    int error = svc_pipe_write(pipe, "held", 4);
    atomic_fetch_sub(&writers, 1);
    return error;
}

static int hold(svc_response *held_res, svc_request *req)
{
    struct held *held = svc_request_alloc(req, sizeof *held);
    if (!held)
        return SVC_ENOMEM;
    const char *turns = svc_request_query(req, "turns");
    *held = (struct held){held_res, turns ? (unsigned)atoi(turns) : 0};
    svc_response_hold_head(held_res);
    return svc_response_writer(held_res, 200, "text/plain", write_held, held);
}

static int answer_held(svc_request *req, svc_response *res)
{
    return hold(res, req);
}

static int answer_held_later(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *own = svc_response_new();
    int error = hold(own, req);
    svc_pending_complete(pending, own);
    svc_pending_unref(pending);
    return error;
}

/* ---- The rounds */

static svc_app *make_app(void)
{
    static const struct {
        const char *pattern;
        svc_handler *handler;
        unsigned flags, timeout_ms;
    } rows[] = {{"/echo", answer_echo, SVC_DUPLEX, 60000},
                {"/echo/short", answer_echo, SVC_DUPLEX, 2},
                {"/thread", answer_from_thread, SVC_DUPLEX, 60000},
                {"/thread/short", answer_from_thread, SVC_DUPLEX, 2},
                {"/held", answer_held, 0, 60000},
                {"/held/short", answer_held, 0, 2},
                {"/later", answer_held_later, 0, 60000},
                {"/later/short", answer_held_later, 0, 2}};
    svc_config config = SVC_CONFIG_INIT;
    svc_app *app = svc_app_new("both ways");
    config.log_output = "/dev/null";
    svc_app_configure(app, &config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_route route = SVC_ROUTE_INIT;
        route.pattern = rows[i].pattern;
        route.handler = rows[i].handler;
        route.flags = rows[i].flags;
        route.timeout_ms = rows[i].timeout_ms;
        svc_app_route(app, &route);
    }
    return app;
}

static const char body[BODY];

static svc_reply *ask(svc_app *app, const char *target, unsigned patience_ms)
{
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = target;
    test.body = body;
    test.body_len = sizeof body;
    test.timeout_ms = patience_ms;
    svc_reply *reply = svc_app_test(app, &test);
    if (!reply)
        abort();
    return reply;
}

static void expect_whole(svc_app *app, const char *target, size_t len)
{
    size_t got;
    svc_reply *reply = ask(app, target, 60000);
    svc_reply_body(reply, &got);
    expect_that(svc_reply_outcome(reply) == SVC_COMPLETE, target, svc_reply_outcome(reply));
    expect_that(got == len, target, (long long)got);
    svc_reply_free(reply);
}

/* The deadline may come before the answer, between head and end, or never; it is said, or the reply
 * is cut. */
static void expect_an_end(svc_app *app, const char *target, size_t len, unsigned patience_ms)
{
    size_t got;
    svc_reply *reply = ask(app, target, patience_ms);
    int status = svc_reply_status(reply), outcome = svc_reply_outcome(reply);
    svc_reply_body(reply, &got);
    bool whole = outcome == SVC_COMPLETE && (status == 200 || status == 201) && got == len;
    bool late = outcome == SVC_COMPLETE && (status == 504 || status == 408);
    bool cut = outcome == SVC_CUT || outcome == SVC_CLIENT_GONE;
    expect_that(whole || late || cut, target, status * 10 + outcome);
    svc_reply_free(reply);
}

static void run_round(svc_app *app, unsigned round)
{
    char target[64];
    expect_whole(app, "/echo", BODY);
    expect_whole(app, "/thread", BODY);
    expect_an_end(app, "/echo/short", BODY, 60000);
    expect_an_end(app, "/thread/short", BODY, 60000);
    expect_an_end(app, "/echo", BODY, round % 4);
    expect_an_end(app, "/thread", BODY, round % 4);
    static const char *const held[] = {"/held", "/later"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(target, sizeof target, "%s?turns=%u", held[i], round % 5 * 100);
        expect_whole(app, target, 4);
        expect_an_end(app, target, 4, round % 4);
        snprintf(target, sizeof target, "%s/short?turns=%u", held[i], round % 5 * 100);
        expect_an_end(app, target, 4, 60000);
    }
}

int main(void)
{
    svc_app *app = make_app();
    for (unsigned round = 0; round < ROUNDS && !failed; round++)
        run_round(app, round);
    svc_app_free(app); /* waits for whoever still has an exchange */
    expect_that(atomic_load(&writers) == 0, "nobody writes any more", atomic_load(&writers));
    return failed;
}
