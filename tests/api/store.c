/* Stores as programs open and use them, and as backends are called. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>
#include <svc/sys/store.h>

#include "tests/conformance/store.h"
#include "tests/support/quiet_app.h"

static svc_app *app;

static void open_app(void)
{
    app = quiet_app_new("test");
}

static void close_app(void)
{
    svc_app_free(app);
}

TestSuite(store, .init = open_app, .fini = close_app);

static void set_url(const char *url)
{
    svc_config config = quiet_app_config();
    config.store = url;
    cr_assert_eq(svc_app_configure(app, &config), 0);
}

static int set_text(svc_store *store, svc_request *req, const char *key, const char *text)
{
    svc_store_value value = {text, strlen(text), 0, NULL};
    return svc_store_set(store, req, key, &value, 0);
}

static bool has_text(svc_store *store, const char *key, const char *text)
{
    svc_store_value value;
    if (svc_store_get(store, NULL, key, &value))
        return false;
    bool same = strcmp(value.data, text) == 0;
    svc_store_value_free(&value);
    return same;
}

/* ---- Memory */

Test(store, memory_keeps_the_promises_of_a_store)
{
    svc_store_open(app, NULL);
    svc_store *store = svc_test_store(app);
    cr_assert_not_null(store);
    cr_assert_eq(svc_store_conformance(store, stdout), 0);
    cr_assert_eq(svc_store_conformance(store, stdout), 0, "and once more on its own remains");
}

Test(store, memory_keeps_them_on_event_loops_too)
{
    cr_assert_eq(svc_store_conformance_both(app, NULL, stdout), 0);
}

Test(store, a_store_is_open_between_start_and_stop)
{
    svc_store *store = svc_store_open(app, "memory:");
    svc_store_value value;
    svc_store_item item = {"key", 0, {0}};
    uint64_t number;
    cr_assert_not_null(store);
    cr_expect_eq(svc_store_get(store, NULL, "key", &value), SVC_ESTATE);
    cr_expect_eq(svc_store_get_many(store, NULL, &item, 1), SVC_ESTATE);
    cr_expect_eq(svc_store_get_many(store, NULL, NULL, 0), SVC_ESTATE);
    cr_expect_eq(svc_store_increment(store, NULL, "key", 1, 0, &number), SVC_ESTATE);
    cr_expect_eq(svc_test_store_age(store, 1), SVC_ESTATE);
    cr_expect_eq(svc_test_store(app), store);
    cr_expect_eq(svc_store_increment(store, NULL, "key", 1, 0, &number), 0);
    cr_expect_null(svc_store_open(app, "memory:?bytes=1000000"), "the app has started");
}

Test(store, arguments_that_are_missing_are_errors)
{
    svc_store *store = svc_store_open(app, NULL);
    svc_store_value value = {NULL, 1, 0, NULL};
    cr_assert_eq(svc_test_store(app), store);
    cr_expect_eq(svc_store_get(store, NULL, "key", NULL), SVC_EINVAL);
    cr_expect_eq(svc_store_set(store, NULL, "key", NULL, 0), SVC_EINVAL);
    cr_expect_eq(svc_store_set(store, NULL, "key", &value, 0), SVC_EINVAL);
    cr_expect_eq(svc_store_add(store, NULL, "key", NULL, 0), SVC_EINVAL);
    cr_expect_eq(svc_store_compare_and_set(store, NULL, "key", NULL, 0), SVC_EINVAL);
    cr_expect_eq(svc_store_limit(store, NULL, "key", NULL, NULL), SVC_EINVAL);
    cr_expect_eq(svc_store_get_many(store, NULL, NULL, 1), SVC_EINVAL);
    cr_expect_null(svc_test_store(NULL));
    svc_store_value_free(NULL);
}

Test(store, the_same_url_gives_the_same_store)
{
    svc_store *by_setting = svc_store_open(app, NULL), *memory = svc_store_open(app, "memory:");
    cr_assert_neq(by_setting, memory);
    cr_expect_eq(svc_store_open(app, NULL), by_setting);
    cr_expect_eq(svc_store_open(app, "memory:"), memory);
    cr_expect_eq(svc_test_store(app), by_setting);
    cr_expect_eq(set_text(by_setting, NULL, "key", "a"), 0);
    cr_expect_not(has_text(memory, "key", "a"), "each has a memory of its own");
}

Test(store, an_app_without_a_store_has_none_to_test)
{
    cr_expect_null(svc_test_store(app));
}

/* ---- In requests */

static svc_store *shared;

static int put_note(svc_request *req, svc_response *res)
{
    size_t len;
    const void *body = svc_request_body(req, &len);
    svc_store_value value = {body, len, 0, NULL};
    int error = svc_store_set(shared, req, svc_request_param(req, "id"), &value, 0);
    return error ? error : svc_response_empty(res, 204);
}

static int get_note(svc_request *req, svc_response *res)
{
    svc_store_value value;
    int error = svc_store_get(shared, req, svc_request_param(req, "id"), &value);
    if (error == SVC_ENOTFOUND)
        return svc_response_problem(res, 404, NULL);
    if (error)
        return error;
    cr_expect_null(value.own, "it belongs to the request");
    return svc_response_copy(res, 200, "text/plain", value.data, value.len);
}

/* Values of a request's own memory, and those that are too long for it. */
Test(store, what_a_request_reads_ends_with_it)
{
    char *body = calloc(1, 600001);
    shared = svc_store_open(app, NULL);
    svc_app_put(app, "/notes/{id}", put_note, NULL);
    svc_app_get(app, "/notes/{id}", get_note, NULL);
    static const size_t lens[] = {0, 10, 1022, 1023, 1024, 5000, 600000};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        memset(body, 'a' + (int)i, lens[i]);
        body[lens[i]] = '\0';
        svc_reply_free(svc_app_test_json(app, "PUT", "/notes/1", body));
        svc_reply *reply = svc_app_test_get(app, "/notes/1");
        size_t len;
        const char *read = svc_reply_body(reply, &len);
        cr_assert_eq(svc_reply_status(reply), 200);
        cr_assert_eq(len, lens[i]);
        cr_assert_eq(memcmp(read, body, len), 0);
        svc_reply_free(reply);
    }
    svc_reply *reply = svc_app_test_get(app, "/notes/2");
    cr_expect_eq(svc_reply_status(reply), 404);
    svc_reply_free(reply);
    cr_expect(has_text(svc_test_store(app), "1", body), "the test sees the value of the handler");
    cr_expect_eq(svc_test_store_age(shared, 1000), 0);
    free(body);
}

/* ---- URLs */

static void expect_refused(const char *url, const char *report)
{
    svc_store_open(app, url);
    cr_assert_null(svc_test_store(app));
    const char *errors = svc_app_errors(app);
    cr_expect_not_null(strstr(errors, report), "%s is not in %s", report, errors);
    cr_expect_null(strstr(errors, "hunter2"), "%s", errors);
    svc_app_free(app);
    open_app();
}

Test(store, a_bad_url_fails_the_start_and_is_not_shown)
{
    expect_refused(
        "redis://ada:hunter2@db:6379/0",
        "nothing has registered the scheme redis: it needs a library such as libsvc-redis");
    expect_refused("hunter2", "svc_store_open: no URL such as memory:");
    expect_refused("memory:hunter2", "memory: has no address");
    expect_refused("memory:?hunter2=1", "only bytes");
    expect_refused("memory:?bytes=65535", "only bytes");
    expect_refused("memory:?bytes=65536", "too few for a value of max_value");
    expect_refused("memory:?max_value=hunter2", "max_value: a number");
    expect_refused("memory:?namespace=hunter2 x", "namespace: 1 to 48 bytes");
}

Test(store, the_setting_says_which_store_is_opened)
{
    set_url("memory:?max_value=300&bytes=65536");
    svc_store *store = svc_store_open(app, NULL);
    cr_assert_eq(svc_test_store(app), store);
    char value[302] = "";
    memset(value, 'v', 301);
    cr_expect_eq(set_text(store, NULL, "key", value), SVC_ETOOBIG);
    value[300] = '\0';
    cr_expect_eq(set_text(store, NULL, "key", value), 0);
}

Test(store, a_bad_setting_is_reported_as_such)
{
    set_url("redis://ada:hunter2@db/0");
    expect_refused(NULL,
                   "svc_store_open, by the setting store: nothing has registered the scheme redis");
}

Test(store, an_empty_setting_is_memory)
{
    set_url("");
    cr_expect_eq(svc_store_open(app, NULL), svc_test_store(app));
    cr_expect_neq(svc_test_store(app), NULL);
}

/* ---- A backend of a test */

static svc_sys_store_op seen;
static char seen_key[256];
static uint64_t seen_wait_ms;
static int seen_count, opened, closed, next_error;
static size_t answer_len;
static const svc_sys_store_place *seen_place;
static svc_store *own;

static int open_own(svc_app *of, const svc_sys_store_place *place, void *arg, void **state,
                    const char **why)
{
    cr_expect_eq(of, app);
    seen_place = place;
    opened++;
    *state = arg;
    if (strcmp(place->rest, "//bad") == 0) {
        *why = "a reason";
        return SVC_EINVAL;
    }
    return 0;
}

static void close_own(void *state)
{
    cr_expect_eq(state, &opened);
    closed++;
}

static void run_own(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    cr_expect_eq(state, &opened);
    seen_wait_ms = wait_ms;
    seen_count = 0;
    for (svc_sys_store_op *op = first; op; op = op->next) {
        seen = *op;
        seen_count++;
        memcpy(seen_key, op->key, op->key_len);
        seen_key[op->key_len] = '\0';
        op->error = next_error;
        char *data = op->kind == SVC_SYS_STORE_GET ? svc_sys_store_alloc(op, answer_len) : NULL;
        if (data)
            memset(data, 'x', answer_len);
    }
}

static svc_sys_store own_backend(int waits)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    backend.scheme = "own";
    backend.arg = &opened;
    backend.waits = waits;
    backend.open = open_own;
    backend.close = close_own;
    backend.run = run_own;
    return backend;
}

static void open_own_store(const char *url, int waits)
{
    const svc_sys_store backend = own_backend(waits);
    cr_assert_eq(svc_sys_app_add_store(app, &backend), 0);
    own = svc_store_open(app, url);
}

Test(store, a_backend_gets_what_it_needs)
{
    open_own_store("own://user@host/1?x=y&namespace=shop", 1);
    cr_assert_eq(svc_test_store(app), own);
    cr_expect_str_eq(seen_place->rest, "//user@host/1");
    cr_expect_str_eq(seen_place->name_space, "shop");
    cr_assert_eq(seen_place->param_count, 1);
    cr_expect_str_eq(seen_place->params[0].name, "x");
    svc_store_value value = {"abc", 3, 17, NULL};
    cr_expect_eq(svc_store_compare_and_set(own, NULL, "key", &value, 50), 0);
    cr_expect_eq(seen.kind, SVC_SYS_STORE_REPLACE);
    cr_expect_str_eq(seen_key, "shop:key");
    cr_expect_eq(seen.space_len, 5);
    cr_expect_eq(seen.version, 17);
    cr_expect_eq(seen.ttl_ms, 50);
    cr_expect(seen.compares);
    cr_expect_eq(seen_wait_ms, 1000, "the default of timeout_ms");
    cr_expect_eq(svc_store_delete(own, NULL, "key"), 0);
    cr_expect_not(seen.compares);
    cr_expect_eq(svc_test_store_age(own, 1), SVC_ESTATE, "its clock cannot be set");
    svc_app_free(app);
    cr_expect_eq(closed, 1);
    open_app();
}

Test(store, a_value_over_the_maximum_is_not_read)
{
    open_own_store("own:?max_value=256", 1);
    svc_store_value value;
    cr_assert_eq(svc_test_store(app), own);
    answer_len = 256;
    cr_expect_eq(svc_store_get(own, NULL, "key", &value), 0);
    cr_expect_eq(value.len, 256);
    svc_store_value_free(&value);
    cr_expect_null(value.data);
    answer_len = 257;
    cr_expect_eq(svc_store_get(own, NULL, "key", &value), SVC_ETOOBIG);
    answer_len = 3;
    next_error = SVC_EUNAVAILABLE;
    cr_expect_eq(svc_store_get(own, NULL, "key", &value), SVC_EUNAVAILABLE, "its memory is freed");
}

Test(store, many_keys_are_one_call_of_the_backend)
{
    svc_store_item items[100];
    char keys[100][8];
    open_own_store("own:", 0);
    cr_assert_eq(svc_test_store(app), own);
    answer_len = 2;
    for (int i = 0; i < 100; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        items[i].key = keys[i];
    }
    cr_expect_eq(svc_store_get_many(own, NULL, items, 100), 0);
    cr_expect_eq(seen_count, 100);
    cr_expect_str_eq(seen_key, "test:k99");
    for (int i = 0; i < 100; i++)
        svc_store_value_free(&items[i].value);
    next_error = SVC_ETIMEDOUT;
    cr_expect_eq(svc_store_get_many(own, NULL, items, 3), SVC_ETIMEDOUT);
    cr_expect_eq(seen_count, 3);
    cr_expect_eq(items[2].error, SVC_ETIMEDOUT);
    cr_expect_null(items[2].value.data);
}

static int got, got_wait;

static int ask_own(svc_request *req, svc_response *res)
{
    svc_store_value value;
    seen_wait_ms = 0;
    got = svc_store_get(own, req, "key", &value);
    return svc_response_text(res, 200, "ok");
}

static void test_route(const char *pattern, unsigned flags, unsigned timeout_ms)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = ask_own;
    route.flags = flags;
    route.timeout_ms = timeout_ms;
    svc_app_route(app, &route);
}

static void ask_route(const char *target)
{
    got = 1;
    svc_reply_free(svc_app_test_get(app, target));
}

Test(store, a_backend_that_waits_is_asked_by_workers_alone)
{
    open_own_store("own:", 1);
    test_route("GET /loop", 0, 0);
    test_route("GET /worker", SVC_BLOCKING, 0);
    ask_route("/loop");
    cr_expect_eq(got, SVC_ESTATE);
    cr_expect_eq(seen_count, 0);
    ask_route("/worker");
    cr_expect_eq(got, 0);
    cr_expect_eq(seen_count, 1);
    cr_expect_eq(seen_wait_ms, 1000);
}

Test(store, a_backend_that_never_waits_is_asked_on_a_loop)
{
    open_own_store("own:", 0);
    test_route("GET /loop", 0, 0);
    ask_route("/loop");
    cr_expect_eq(got, 0);
    cr_expect_eq(seen_wait_ms, 0);
}

Test(store, a_call_waits_no_longer_than_its_request)
{
    open_own_store("own:?timeout_ms=86400000", 1);
    test_route("GET /worker", SVC_BLOCKING, 20000);
    ask_route("/worker");
    cr_expect_eq(got, 0);
    cr_expect_gt(seen_wait_ms, 0);
    cr_expect_leq(seen_wait_ms, 20000);
}

static int wait_for_deadline(svc_request *req, svc_response *res)
{
    svc_store_value value;
    while (!svc_request_cancelled(req))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    got_wait = svc_store_get(own, req, "key", &value);
    return svc_response_text(res, 200, "ok");
}

Test(store, a_request_whose_time_is_over_asks_nothing)
{
    open_own_store("own:", 1);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /";
    route.handler = wait_for_deadline;
    route.flags = SVC_BLOCKING;
    route.timeout_ms = 1000; /* for the worker to begin */
    svc_app_route(app, &route);
    svc_reply_free(svc_app_test_get(app, "/"));
    svc_app_free(app); /* which waits for the worker */
    cr_expect_eq(got_wait, SVC_ETIMEDOUT);
    cr_expect_eq(seen_count, 0);
    open_app();
}

Test(store, a_backend_that_cannot_be_opened_fails_the_start)
{
    open_own_store("own://bad", 0);
    cr_assert_null(svc_test_store(app));
    cr_expect_not_null(strstr(svc_app_errors(app), "own: a reason"));
    cr_expect_eq(closed, 0);
}

Test(store, backends_that_are_not_whole_are_refused)
{
    svc_sys_store backend = own_backend(0);
    cr_expect_eq(svc_sys_app_add_store(app, NULL), SVC_EINVAL);
    backend.run = NULL;
    cr_expect_eq(svc_sys_app_add_store(app, &backend), SVC_EINVAL);
    backend = own_backend(0);
    backend.scheme = "Own";
    cr_expect_eq(svc_sys_app_add_store(app, &backend), SVC_EINVAL);
    backend.scheme = "memory";
    cr_expect_eq(svc_sys_app_add_store(app, &backend), SVC_ESTATE);
    backend.scheme = "own";
    cr_expect_eq(svc_sys_app_add_store(app, &backend), 0);
    cr_expect_eq(svc_sys_app_add_store(app, &backend), SVC_ESTATE);
    cr_expect_null(svc_sys_store_alloc(NULL, 1));
}

/* ---- Mounted apps */

Test(store, a_mounted_app_finds_the_backends_of_the_app_around_it)
{
    svc_app *inner = svc_app_new("inner");
    const svc_sys_store backend = own_backend(0);
    svc_store *store = svc_store_open(inner, NULL);
    set_url("own:");
    cr_assert_eq(svc_sys_app_add_store(app, &backend), 0);
    cr_assert_eq(svc_app_mount(app, "/inner", inner), 0);
    cr_assert_null(svc_test_store(app), "the outer app has none");
    opened = 0;
    svc_app *outer = app;
    app = inner; /* which is the one that the backend is opened for */
    cr_assert_eq(svc_test_store(inner), store);
    app = outer;
    cr_expect_eq(set_text(store, NULL, "key", "a"), 0);
    cr_expect_str_eq(seen_key, "inner:key");
}

/* ---- Metrics */

static double metric(const char *series)
{
    return svc_test_metric(app, series);
}

Test(store, operations_are_counted_by_their_outcome)
{
    svc_store *store = svc_store_open(app, NULL);
    svc_store_value value = {"v", 1, 0, NULL}, read;
    const svc_rate_window window = {NULL, 1, 60, 1};
    const svc_store_charge charge = {&window, 1, 1};
    svc_store_verdict verdict;
    svc_store_item items[] = {{"a", 0, {0}}, {"b", 0, {0}}, {"c", 0, {0}}};
    cr_assert_eq(svc_test_store(app), store);
    svc_store_add(store, NULL, "a", &value, 0);
    svc_store_add(store, NULL, "a", &value, 0);
    svc_store_get(store, NULL, "a", &read);
    svc_store_value_free(&read);
    svc_store_get_many(store, NULL, items, 3);
    svc_store_value_free(&items[0].value);
    svc_store_limit(store, NULL, "l", &charge, &verdict);
    svc_store_limit(store, NULL, "l", &charge, &verdict);
    svc_store_increment(store, NULL, "a", 1, 0, NULL);
    value.len = 1000001;
    svc_store_set(store, NULL, "a", &value, 0);
#define OPERATIONS(operation, outcome)                                                             \
    metric("svc_store_operations_total{backend=\"memory\",operation=\"" operation                  \
           "\",outcome=\"" outcome "\"}")
    cr_expect_eq(OPERATIONS("add", "ok"), 1);
    cr_expect_eq(OPERATIONS("add", "conflict"), 1);
    cr_expect_eq(OPERATIONS("get", "ok"), 2);
    cr_expect_eq(OPERATIONS("get", "miss"), 2);
    cr_expect_eq(OPERATIONS("limit", "ok"), 1);
    cr_expect_eq(OPERATIONS("limit", "refused"), 1);
    cr_expect_eq(OPERATIONS("increment", "malformed"), 1);
    cr_expect_eq(OPERATIONS("set", "too_big"), 1);
    cr_expect_eq(metric("svc_store_entries{backend=\"memory\"}"), 2);
    cr_expect(isnan(metric("svc_store_servers{backend=\"memory\"}")), "it has none");
    cr_expect_gt(metric("svc_store_bytes{backend=\"memory\"}"), 100);
    cr_expect_eq(metric("svc_store_evicted_total{backend=\"memory\"}"), 0);
    cr_expect_eq(metric("svc_store_expired_total{backend=\"memory\"}"), 0);
    svc_test_store_age(store, 61000);
    svc_store_limit(store, NULL, "l", &charge, &verdict);
    cr_expect(verdict.pass);
    cr_expect_eq(metric("svc_store_expired_total{backend=\"memory\"}"), 1);
}

Test(store, stores_of_one_backend_are_added_up)
{
    svc_store *one = svc_store_open(app, NULL), *two = svc_store_open(app, "memory:");
    cr_assert_eq(svc_test_store(app), one);
    set_text(one, NULL, "a", "1");
    set_text(two, NULL, "b", "2");
    set_text(two, NULL, "c", "3");
    cr_expect_eq(metric("svc_store_entries{backend=\"memory\"}"), 3);
    cr_expect_eq(OPERATIONS("set", "ok"), 3);
}

Test(store, errors_of_a_backend_are_counted_apart)
{
    static const struct {
        int error;
        const char *outcome;
    } rows[] = {{SVC_EUNAVAILABLE, "unavailable"},
                {SVC_ETIMEDOUT, "timed_out"},
                {SVC_ETOOBIG, "too_big"},
                {SVC_ESYNTAX, "malformed"},
                {SVC_ENOMEM, "failed"}};
    open_own_store("own:", 0);
    cr_assert_eq(svc_test_store(app), own);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char series[160];
        next_error = rows[i].error;
        cr_expect_eq(svc_store_delete(own, NULL, "key"), rows[i].error);
        snprintf(series, sizeof series,
                 "svc_store_operations_total{backend=\"own\",operation=\"delete\",outcome=\"%s\"}",
                 rows[i].outcome);
        cr_expect_eq(metric(series), 1, "%s", series);
    }
    cr_expect(isnan(metric("svc_store_entries{backend=\"own\"}")), "it does not say");
}
