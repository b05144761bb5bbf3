/* Rate limits in a store: what the store is asked, what happens when it fails, and who is refused
 * without a question. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>
#include <svc/sys/store.h>

#include "tests/support/quiet_app.h"
#include "tests/support/test_clock.h"

TestSuite(rate_limit_store, .init = test_clock_stop);

static const uint64_t second_ns = 1000000000, second_us = 1000000;
static const uint32_t day_s = 86400;

static int handler(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "served");
}

static svc_app *new_app(void)
{
    svc_app *app = quiet_app_new("limited");
    svc_app_get(app, "/", handler, NULL);
    return app;
}

static svc_rate_limit slow(svc_store *store, uint64_t burst)
{
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = 1;
    limit.period_s = day_s;
    limit.burst = burst;
    limit.header = "Key";
    limit.store = store;
    return limit;
}

/* Header fields are "Key" and "Cost". */
static svc_reply *ask_reply(svc_app *app, const char *key, const char *cost)
{
    const char *const headers[] = {"Key", key, cost ? "Cost" : NULL, cost, NULL};
    svc_test test = SVC_TEST_INIT;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

static int ask(svc_app *app, const char *key)
{
    svc_reply *reply = ask_reply(app, key, NULL);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

static double outcome(svc_app *app, const char *label)
{
    char series[128];
    snprintf(series, sizeof series, "svc_rate_limit_store_total{outcome=\"%s\"}", label);
    return svc_test_metric(app, series);
}

/* ---- In memory */

Test(rate_limit_store, a_limit_in_memory_is_the_limit)
{
    svc_app *app = new_app();
    svc_store *store = svc_store_open(app, NULL);
    svc_rate_limit limit = slow(store, 2);
    limit.flags = SVC_RATE_FIELDS_ALWAYS | SVC_RATE_X_FIELDS;
    svc_app_use(app, svc_rate_limit_new(app, &limit));
    svc_reply *reply = ask_reply(app, "a", NULL);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_header(reply, "RateLimit"), "\"default\";r=1;t=86400");
    cr_expect_str_eq(svc_reply_header(reply, "X-RateLimit-Remaining"), "1");
    svc_reply_free(reply);
    cr_expect_eq(ask(app, "a"), 200);
    reply = ask_reply(app, "a", NULL);
    cr_expect_eq(svc_reply_status(reply), 429);
    cr_expect_str_eq(svc_reply_header(reply, "Retry-After"), "86400");
    cr_expect_str_eq(svc_reply_header(reply, "RateLimit"), "\"default\";r=0;t=86400");
    svc_reply_free(reply);
    cr_expect_eq(ask(app, "b"), 200);
    svc_test_store_age(store, UINT64_C(1000) * day_s);
    cr_expect_eq(ask(app, "a"), 200, "it was asked again");
    cr_expect_eq(ask(app, "a"), 429);
    cr_expect_eq(outcome(app, "passed"), 4);
    cr_expect_eq(outcome(app, "refused"), 2);
    cr_expect_eq(outcome(app, "refused_locally"), 0);
    cr_expect_eq(svc_test_metric(app, "svc_rate_limit_refused_total{policy=\"default\"}"), 2);
    svc_app_free(app);
}

Test(rate_limit_store, a_limit_that_only_reports_lets_pass)
{
    svc_app *app = new_app();
    svc_rate_limit limit = slow(svc_store_open(app, NULL), 1);
    limit.flags = SVC_RATE_REPORT_ONLY;
    svc_app_use(app, svc_rate_limit_new(app, &limit));
    for (int i = 0; i < 3; i++)
        cr_expect_eq(ask(app, "a"), 200);
    cr_expect_eq(outcome(app, "refused"), 2);
    cr_expect_eq(svc_test_metric(app, "svc_rate_limit_reported_total{policy=\"default\"}"), 2);
    svc_app_free(app);
}

/* ---- A store that waits, as a server does */

enum { KEYS = 8 };

/* Counts by GCRA in microseconds, one after the other; `windows` must have whole intervals. */
static struct {
    char keys[KEYS][256];
    uint64_t tat[KEYS][SVC_STORE_WINDOWS];
    size_t count;
    int asked, error;
    bool silent;  /* it does not answer */
    int confused; /* which of the verdicts it gives that cannot be */
    int on_loop, forgotten;
    uint64_t ahead_ns; /* of its clock, before that of the process */
} server;

static uint64_t server_now(void)
{
    return (test_clock_ns + server.ahead_ns) / 1000;
}

static uint64_t *tats_of(const char *key, size_t len)
{
    size_t i = 0;
    while (i < server.count && (strlen(server.keys[i]) != len || memcmp(server.keys[i], key, len)))
        i++;
    cr_assert_lt(i, KEYS);
    if (i == server.count) {
        memcpy(server.keys[server.count++], key, len);
        memset(server.tat[i], 0, sizeof server.tat[i]);
    }
    return server.tat[i];
}

/* Decides for one key, and charges its windows when they all pass. */
static void decide(uint64_t *tat, const svc_store_charge *charge, svc_store_verdict *verdict)
{
    uint64_t now = server_now();
    *verdict = (svc_store_verdict){.pass = true};
    for (int charging = 0; charging < 2; charging++)
        for (size_t i = 0; i < charge->window_count; i++) {
            const svc_rate_window *window = &charge->windows[i];
            uint64_t interval = window->period_s * second_us / window->rate;
            uint64_t burst = window->burst * interval, cost = charge->cost * interval;
            uint64_t used = tat[i] > now ? tat[i] - now : 0;
            svc_store_quota *quota = &verdict->quotas[i];
            if (!charging && charge->cost > 0 && used + cost > burst) {
                verdict->pass = false;
                verdict->refused |= 1U << i;
                quota->retry_us = cost > burst ? UINT64_MAX : used + cost - burst;
            }
            if (charging && verdict->pass)
                tat[i] = now + (used += cost);
            quota->remaining = (burst - used) / interval;
            quota->reset_us = used;
        }
}

static int open_server(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                       const char **why)
{
    (void)app, (void)place, (void)arg, (void)why;
    *state = &server;
    return 0;
}

static void close_server(void *state)
{
    (void)state;
}

static void answer_op(svc_sys_store_op *op)
{
    server.asked++;
    op->error = server.error;
    if (!op->error)
        decide(tats_of(op->key, op->key_len), op->charge, op->verdict);
    static const svc_store_verdict confused[] = {{.pass = true, .refused = 1},
                                                 {.pass = false, .refused = 0},
                                                 {.pass = false, .refused = 1U << 31}};
    if (server.confused)
        *op->verdict = confused[server.confused - 1];
}

static void run_server(void *state, svc_sys_store_op *op, uint64_t wait_ms)
{
    (void)state, (void)wait_ms;
    answer_op(op);
}

static int begin_server_loop(void *state, svc_loop *loop, void **loop_state)
{
    (void)loop;
    *loop_state = state;
    return 0;
}

static void end_server_loop(void *loop_state)
{
    (void)loop_state;
}

static void submit_to_server(void *loop_state, svc_sys_store_op *op)
{
    (void)loop_state;
    server.on_loop++;
    if (server.silent)
        return;
    answer_op(op);
    svc_sys_store_done(op);
}

static void forget_in_server(void *loop_state, svc_sys_store_op *op)
{
    (void)loop_state, (void)op;
    server.forgotten++;
}

static svc_app *app;
static svc_store *store;

static void open_waiting(void)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    memset(&server, 0, sizeof server);
    backend.scheme = "server";
    backend.waits = 1;
    backend.open = open_server;
    backend.close = close_server;
    backend.run = run_server;
    backend.begin_loop = begin_server_loop;
    backend.end_loop = end_server_loop;
    backend.submit = submit_to_server;
    backend.forget = forget_in_server;
    app = new_app();
    cr_assert_eq(svc_sys_app_add_store(app, &backend), 0);
    store = svc_store_open(app, "server:?timeout_ms=300");
}

static void use_limit(const svc_rate_limit *limit)
{
    svc_app_use(app, svc_rate_limit_new(app, limit));
}

/* ---- On loops and on workers */

Test(rate_limit_store, a_request_waits_on_its_loop_without_holding_it)
{
    open_waiting();
    svc_rate_limit limit = slow(store, 1);
    limit.flags = SVC_RATE_FIELDS_ALWAYS;
    use_limit(&limit);
    svc_reply *reply = ask_reply(app, "a", NULL);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_header(reply, "RateLimit"), "\"default\";r=0");
    svc_reply_free(reply);
    cr_expect_eq(ask(app, "a"), 429);
    cr_expect_eq(server.on_loop, 2);
    cr_expect_eq(server.asked, 2);
    svc_app_free(app);
}

static int pass(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    return SVC_PASS;
}

Test(rate_limit_store, behind_a_layer_that_blocks_the_worker_asks)
{
    static const svc_middleware outer = {
        .size = sizeof outer, .name = "outer", .flags = SVC_BLOCKING, .on_request = pass};
    open_waiting();
    svc_rate_limit limit = slow(store, 1);
    svc_app_use(app, &outer);
    use_limit(&limit);
    cr_expect_eq(ask(app, "a"), 200);
    cr_expect_eq(ask(app, "a"), 429);
    cr_expect_eq(ask(app, "a"), 429);
    cr_expect_eq(server.on_loop, 0);
    cr_expect_eq(server.asked, 2);
    svc_app_free(app);
}

static int costs;

static uint32_t count_costs(svc_request *req, void *arg)
{
    (void)req, (void)arg;
    costs++;
    return 1;
}

/* The loop waits in real time. */
Test(rate_limit_store, a_store_that_gives_no_answer_has_failed_at_its_time_limit)
{
    open_waiting();
    svc_rate_limit limit = slow(store, 1);
    limit.cost_of = count_costs;
    use_limit(&limit);
    server.silent = true;
    test_clock_ns = 0;
    cr_expect_eq(ask(app, "a"), 200);
    cr_expect_eq(outcome(app, "failed_passed"), 1);
    cr_expect_eq(server.forgotten, 1);
    cr_expect_eq(costs, 1, "the layer has run twice, and the program's function once");
    svc_app_free(app);
}

/* Both ends come in the same millisecond: the deadline's 504, and a store that has failed by then.
 */
Test(rate_limit_store, a_question_ends_with_its_request)
{
    open_waiting();
    svc_rate_limit limit = slow(store, 1);
    const svc_middleware *const layers[] = {svc_rate_limit_new(app, &limit), NULL};
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /short";
    route.handler = handler;
    route.timeout_ms = 10;
    route.middleware = layers;
    svc_app_route(app, &route);
    server.silent = true;
    test_clock_ns = 0;
    svc_reply *reply = svc_app_test_get(app, "/short");
    cr_expect(svc_reply_status(reply) == 504 || svc_reply_status(reply) == 200);
    svc_reply_free(reply);
    svc_app_free(app);
    cr_expect_eq(server.forgotten, server.on_loop, "all that were asked: none if it was too late");
}

Test(rate_limit_store, a_verdict_that_cannot_be_is_a_failure)
{
    open_waiting();
    svc_rate_limit limit = slow(store, 1);
    use_limit(&limit);
    for (server.confused = 1; server.confused < 4; server.confused++)
        cr_expect_eq(ask(app, "a"), 200);
    cr_expect_eq(outcome(app, "failed_passed"), 3);
    svc_app_free(app);
}

/* ---- Keys */

static const char *key_of(const char *name, uint64_t burst, const char *key)
{
    open_waiting();
    svc_rate_limit limit = slow(store, burst);
    limit.name = name;
    use_limit(&limit);
    cr_assert_eq(ask(app, key), 200);
    svc_app_free(app);
    cr_assert_eq(server.count, 1);
    return server.keys[0];
}

/* Written down, since another version of the library must find the same counts. */
Test(rate_limit_store, all_instances_have_one_key)
{
    char first[256];
    strcpy(first, key_of("api", 2, "ada \xff"));
    cr_expect_str_eq(first, "limited:rate:api:9e9bb5a1fcb1f871d2347405e4861221");
    cr_expect_str_eq(key_of("api", 2, "ada \xff"), first, "nothing of it is random");
    cr_expect_neq(strcmp(key_of("api", 2, "ada \xfe"), first), 0);
    cr_expect_neq(strcmp(key_of("api", 3, "ada \xff"), first), 0, "other windows");
    cr_expect_eq(strncmp(key_of(NULL, 2, "ada"), "limited:rate:default:", 21), 0);
    cr_expect_eq(strlen(first), strlen("limited:rate:api:") + 32);
}

static const char *second_part(svc_request *req, void *arg)
{
    (void)arg;
    return svc_request_header(req, "Cost");
}

static const char *key_of_parts(const char *one, const char *two)
{
    open_waiting();
    svc_rate_limit limit = slow(store, 1);
    limit.key = second_part;
    use_limit(&limit);
    svc_reply_free(ask_reply(app, one, two));
    svc_app_free(app);
    return server.keys[0];
}

Test(rate_limit_store, the_parts_of_a_key_do_not_run_together)
{
    char first[256];
    strcpy(first, key_of_parts("ab", "c"));
    cr_expect_neq(strcmp(key_of_parts("a", "bc"), first), 0);
    cr_expect_neq(strcmp(key_of_parts("abc", ""), first), 0);
}

Test(rate_limit_store, each_limit_of_a_store_has_a_name)
{
    svc_app *two = new_app();
    svc_store *other = svc_store_open(two, "memory:");
    svc_rate_limit limit = slow(svc_store_open(two, NULL), 1);
    cr_expect_not_null(svc_rate_limit_new(two, &limit));
    limit.name = "second";
    cr_expect_not_null(svc_rate_limit_new(two, &limit));
    limit.store = other;
    cr_expect_not_null(svc_rate_limit_new(two, &limit), "another store");
    cr_expect_null(svc_rate_limit_new(two, &limit));
    cr_expect(strstr(svc_app_errors(two), "already"), "%s", svc_app_errors(two));
    limit.name = "a b";
    cr_expect_null(svc_rate_limit_new(two, &limit));
    cr_expect(strstr(svc_app_errors(two), "\"a b\""), "%s", svc_app_errors(two));
    limit.name = "third";
    limit.on_store_failure = SVC_RATE_DECIDE + 1;
    cr_expect_null(svc_rate_limit_new(two, &limit));
    cr_expect(strstr(svc_app_errors(two), "on_store_failure 3"), "%s", svc_app_errors(two));
    svc_app_free(two);
}

/* ---- A store that fails */

static void open_failing(int on_failure, unsigned flags)
{
    open_waiting();
    svc_rate_limit limit = slow(store, 1);
    limit.on_store_failure = on_failure;
    limit.flags = flags;
    use_limit(&limit);
    server.error = SVC_EUNAVAILABLE;
}

Test(rate_limit_store, while_the_store_fails_requests_pass_and_are_counted)
{
    open_failing(SVC_RATE_PASS, SVC_RATE_FIELDS_ALWAYS);
    for (int i = 0; i < 3; i++) {
        svc_reply *reply = ask_reply(app, "a", NULL);
        cr_expect_eq(svc_reply_status(reply), 200);
        cr_expect_null(svc_reply_header(reply, "RateLimit"), "nobody knows what remains");
        svc_reply_free(reply);
    }
    cr_expect_eq(outcome(app, "failed_passed"), 3);
    server.error = 0;
    cr_expect_eq(ask(app, "a"), 200);
    cr_expect_eq(ask(app, "a"), 429);
    svc_app_free(app);
}

Test(rate_limit_store, a_limit_may_fail_closed)
{
    open_failing(SVC_RATE_REFUSE, 0);
    svc_reply *reply = ask_reply(app, "a", NULL);
    cr_expect_eq(svc_reply_status(reply), 503);
    cr_expect_str_eq(svc_reply_header(reply, "Retry-After"), "1");
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/problem+json");
    svc_reply_free(reply);
    cr_expect_eq(outcome(app, "failed_refused"), 1);
    svc_app_free(app);
}

Test(rate_limit_store, a_limit_that_only_reports_never_fails_closed)
{
    open_failing(SVC_RATE_REFUSE, SVC_RATE_REPORT_ONLY);
    cr_expect_eq(ask(app, "a"), 200);
    svc_app_free(app);
}

Test(rate_limit_store, a_limit_may_fail_to_the_process_own_decision)
{
    open_failing(SVC_RATE_DECIDE, SVC_RATE_FIELDS_ALWAYS);
    svc_reply *reply = ask_reply(app, "a", NULL);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_header(reply, "RateLimit"), "\"default\";r=0;t=86400");
    svc_reply_free(reply);
    cr_expect_eq(ask(app, "a"), 429);
    cr_expect_eq(ask(app, "b"), 200);
    cr_expect_eq(outcome(app, "failed_decided"), 3);
    server.error = 0;
    cr_expect_eq(ask(app, "a"), 200, "the store has not charged it");
    svc_app_free(app);
}

/* ---- Whom the process refuses without a question */

static void open_slow(uint64_t burst)
{
    open_waiting();
    svc_rate_limit limit = slow(store, burst);
    use_limit(&limit);
}

Test(rate_limit_store, who_was_refused_costs_no_round_trip_for_a_second)
{
    open_slow(1);
    cr_expect_eq(ask(app, "a"), 200);
    cr_expect_eq(ask(app, "a"), 429);
    cr_expect_eq(server.asked, 2);
    for (int i = 0; i < 100; i++) {
        svc_reply *reply = ask_reply(app, "a", NULL);
        cr_expect_eq(svc_reply_status(reply), 429);
        cr_expect_str_eq(svc_reply_header(reply, "Retry-After"), "86400");
        svc_reply_free(reply);
    }
    cr_expect_eq(server.asked, 2);
    cr_expect_eq(outcome(app, "refused_locally"), 100);
    cr_expect_eq(svc_test_metric(app, "svc_rate_limit_refused_total{policy=\"default\"}"), 101);
    cr_expect_eq(ask(app, "b"), 200, "another key");
    test_clock_ns += second_ns;
    for (int i = 0; i < 5; i++)
        cr_expect_eq(ask(app, "a"), 429);
    cr_expect_eq(server.asked, 4, "once a second");
    svc_app_free(app);
}

Test(rate_limit_store, counts_that_are_lost_are_noticed_within_a_second)
{
    open_slow(2);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(ask(app, "a"), i < 2 ? 200 : 429);
    memset(server.tat, 0, sizeof server.tat);
    cr_expect_eq(ask(app, "a"), 429);
    test_clock_ns += second_ns;
    cr_expect_eq(ask(app, "a"), 200);
    cr_expect_eq(ask(app, "a"), 200, "what was remembered is corrected");
    cr_expect_eq(ask(app, "a"), 429);
    svc_app_free(app);
}

Test(rate_limit_store, while_the_store_fails_what_it_has_refused_stays_refused)
{
    open_slow(1);
    cr_expect_eq(ask(app, "a"), 200);
    cr_expect_eq(ask(app, "a"), 429);
    server.error = SVC_ETIMEDOUT;
    cr_expect_eq(ask(app, "a"), 429);
    cr_expect_eq(ask(app, "b"), 200);
    svc_app_free(app);
}

static uint32_t cost_by_header(svc_request *req, void *arg)
{
    const char *cost = svc_request_header(req, "Cost");
    (void)arg;
    return cost ? (uint32_t)strtoul(cost, NULL, 10) : 1;
}

static int ask_cost(uint32_t cost)
{
    char text[16];
    snprintf(text, sizeof text, "%u", (unsigned)cost);
    svc_reply *reply = ask_reply(app, "a", text);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

Test(rate_limit_store, a_cheaper_request_is_not_refused_for_a_dearer_one)
{
    open_waiting();
    svc_rate_limit limit = slow(store, 10);
    limit.cost_of = cost_by_header;
    use_limit(&limit);
    cr_expect_eq(ask_cost(5), 200);
    cr_expect_eq(ask_cost(8), 429);
    cr_expect_eq(ask_cost(9), 429);
    cr_expect_eq(server.asked, 2, "a dearer one is refused like it");
    cr_expect_eq(ask_cost(4), 200);
    cr_expect_eq(ask_cost(1), 200);
    cr_expect_eq(ask_cost(0), 200);
    cr_expect_eq(ask_cost(1), 429);
    svc_app_free(app);
}

/* The interval is over sooner by the store's clock, which is fast, than by that of the process. */
Test(rate_limit_store, a_store_whose_clock_is_fast_is_asked_in_time)
{
    open_waiting();
    svc_rate_limit limit = slow(store, 1);
    limit.rate = 10;
    limit.period_s = 9;
    use_limit(&limit);
    cr_expect_eq(ask(app, "a"), 200);
    cr_expect_eq(ask(app, "a"), 429);
    test_clock_ns += second_ns * 89 / 100;
    server.ahead_ns += second_ns * 89 / 100 / 2000;
    cr_expect_eq(ask(app, "a"), 429);
    cr_expect_eq(server.asked, 2);
    test_clock_ns += second_ns * 96 / 10000;
    server.ahead_ns += second_ns * 96 / 10000 / 2000;
    cr_expect_eq(ask(app, "a"), 200);
    svc_app_free(app);
}

static uint64_t next_random(uint64_t most)
{
    static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % (most + 1);
}

/* Another instance charges the same key, and the clock of the store goes faster by 500 in a
 * million, as much as clocks that are being set. */
static void let_time_pass(uint64_t ns)
{
    test_clock_ns += ns;
    server.ahead_ns += ns / 2000;
    const svc_rate_window windows[] = {{NULL, 10, 1, 10}, {NULL, 100, 60, 40}};
    const svc_store_charge charge = {windows, 2, (uint32_t)next_random(2)};
    svc_store_verdict verdict;
    if (server.count > 0 && next_random(3) == 0)
        decide(server.tat[0], &charge, &verdict);
}

Test(rate_limit_store, nobody_is_refused_whom_the_store_would_pass)
{
    static const svc_rate_window windows[] = {{"short", 10, 1, 10}, {"long", 100, 60, 40}};
    open_waiting();
    svc_rate_limit limit = slow(store, 0);
    limit.rate = 0;
    limit.windows = windows;
    limit.window_count = 2;
    limit.cost_of = cost_by_header;
    use_limit(&limit);
    int locally = 0;
    for (int i = 0; i < 20000; i++) {
        let_time_pass(next_random(30) * second_ns / 100);
        uint32_t cost = (uint32_t)next_random(12);
        int asked = server.asked, status = ask_cost(cost);
        if (server.asked > asked)
            continue;
        locally++;
        uint64_t tat[SVC_STORE_WINDOWS];
        const svc_store_charge charge = {windows, 2, cost};
        svc_store_verdict verdict;
        memcpy(tat, server.tat[0], sizeof tat);
        decide(tat, &charge, &verdict);
        cr_expect_eq(status, 429);
        cr_assert_not(verdict.pass, "request %d of cost %u", i, (unsigned)cost);
    }
    cr_expect_gt(locally, 2000, "%d", locally);
    cr_expect_eq(outcome(app, "refused_locally"), locally);
    svc_app_free(app);
}
