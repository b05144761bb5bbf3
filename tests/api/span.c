/* Spans as an exporter gets them: a request's own, those that a handler begins, and which are
 * recorded. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>
#include <svc/sys/app.h>
#include <svc/sys/span.h>

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define TRACEPARENT "00-" ID "-" PARENT "-"

/* ---- An exporter that keeps what it gets */

enum { MOST = 400 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static svc_sys_span *taken[MOST];
static size_t taken_count;
static int sampled_parent;
static bool sample_answer;

static void take(void *arg, svc_sys_span *span)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    cr_assert_lt(taken_count, MOST);
    taken[taken_count++] = span;
    pthread_mutex_unlock(&lock);
}

static bool sample(void *arg, const unsigned char *trace_id, int parent)
{
    (void)arg;
    cr_expect(trace_id[0] || trace_id[1] || trace_id[2]);
    sampled_parent = parent;
    return sample_answer;
}

/* The app of ask_handler, in whose memory some texts of its spans are. */
static svc_app *asked;

static void free_taken(void)
{
    while (taken_count > 0)
        svc_sys_span_free(taken[--taken_count]);
    svc_app_free(asked);
    asked = NULL;
}

static svc_sys_exporter collecting(void)
{
    svc_sys_exporter exporter = SVC_SYS_EXPORTER_INIT;
    exporter.take = take;
    return exporter;
}

static svc_app *make_app(const svc_sys_exporter *exporter)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    svc_app *app = svc_app_new("spans");
    svc_app_configure(app, &config);
    if (exporter)
        cr_assert_eq(svc_sys_app_set_exporter(app, exporter), 0);
    return app;
}

static int ask(svc_app *app, const char *method, const char *target, const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    int status = svc_reply_status(reply);
    cr_assert(status, "%s", svc_app_errors(app));
    svc_reply_free(reply);
    return status;
}

/* One GET of a route with that handler; its spans are in `taken`, until free_taken. */
static int ask_handler(const svc_sys_exporter *exporter, svc_handler *handler,
                       const char *const *headers)
{
    svc_app *app = make_app(exporter);
    svc_app_get(app, "/", handler, NULL);
    int status = ask(app, "GET", "/", headers);
    if (exporter)
        asked = app;
    else
        svc_app_free(app);
    return status;
}

static const svc_sys_span *find_span(const char *name)
{
    for (size_t i = 0; i < taken_count; i++)
        if (!strcmp(taken[i]->name, name))
            return taken[i];
    cr_assert(false, "no span %s of %zu", name, taken_count);
    return NULL;
}

static const svc_kv *find_item(const svc_sys_span *span, const char *key)
{
    for (size_t i = 0; i < span->attribute_count; i++)
        if (!strcmp(span->attributes[i].key, key))
            return &span->attributes[i];
    return NULL;
}

static void expect_text(const svc_sys_span *span, const char *key, const char *text)
{
    const svc_kv *item = find_item(span, key);
    if (!text) {
        cr_expect_null(item, "%s", key);
        return;
    }
    cr_assert(item, "%s", key);
    cr_expect_eq(item->kind, SVC_KV_STR);
    cr_expect(item->len == strlen(text) && !memcmp(item->value.text, text, item->len), "%s is %.*s",
              key, (int)item->len, item->value.text);
}

static void expect_number(const svc_sys_span *span, const char *key, int64_t number)
{
    const svc_kv *item = find_item(span, key);
    cr_assert(item, "%s", key);
    cr_expect_eq(item->value.number, number, "%s is %ld", key, (long)item->value.number);
}

static void expect_id(const unsigned char *id, size_t bytes, const char *digits)
{
    char text[33];
    for (size_t i = 0; i < bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", id[i]);
    cr_expect_str_eq(text, digits);
}

static void expect_within(const svc_sys_span *inner, const svc_sys_span *outer)
{
    cr_expect(!memcmp(inner->trace_id, outer->trace_id, sizeof inner->trace_id));
    cr_expect(!memcmp(inner->parent_id, outer->span_id, sizeof inner->parent_id));
    cr_expect(memcmp(inner->span_id, outer->span_id, sizeof inner->span_id));
    cr_expect_not(inner->parent_is_remote);
    cr_expect_leq(outer->started_unix_ns, inner->started_unix_ns);
    cr_expect_leq(inner->started_unix_ns, inner->ended_unix_ns);
    cr_expect_leq(inner->ended_unix_ns, outer->ended_unix_ns);
}

static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

/* ---- Without an exporter */

static int use_no_spans(svc_request *req, svc_response *res)
{
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "call");
    cr_expect_null(span);
    cr_expect_null(svc_request_span(req));
    svc_span_set(span, svc_kv_str("a", "b"));
    svc_span_set_items(span, NULL);
    svc_span_fail(span, "timeout", "late");
    svc_span_link(span, TRACEPARENT "01");
    cr_expect_eq(strlen(svc_span_traceparent(req, span)), 55);
    svc_span_end(span);
    return svc_response_text(res, 200, "ok");
}

Test(span, without_an_exporter_there_are_none)
{
    static const char *const sampled[] = {"traceparent", TRACEPARENT "01", NULL};
    cr_expect_eq(ask_handler(NULL, use_no_spans, sampled), 200);
}

/* ---- The request's own */

Test(span, a_request_is_described_by_the_conventions)
{
    static const char *const headers[] = {"traceparent", TRACEPARENT "01", "tracestate",
                                          "a=b",         "Host",           "shop.example:8080",
                                          "User-Agent",  "test/1",         NULL};
    svc_sys_exporter exporter = collecting();
    svc_app *app = make_app(&exporter);
    svc_app_get(app, "/orders/{id}", answer, NULL);
    cr_expect_eq(ask(app, "GET", "/orders/7?token=secret", headers), 200);
    cr_assert_eq(taken_count, 1);
    const svc_sys_span *span = find_span("GET /orders/{id}");
    expect_id(span->trace_id, sizeof span->trace_id, ID);
    expect_id(span->parent_id, sizeof span->parent_id, PARENT);
    cr_expect(span->parent_is_remote);
    cr_expect_eq(span->flags & SVC_SYS_SAMPLED, SVC_SYS_SAMPLED);
    cr_expect_eq(span->kind, SVC_SPAN_SERVER);
    cr_expect_str_eq(span->state, "a=b");
    cr_expect_not(span->failed);
    cr_expect_gt(span->started_unix_ns, INT64_C(1700000000000000000));
    cr_expect_lt(span->started_unix_ns, span->ended_unix_ns);
    expect_text(span, "http.request.method", "GET");
    expect_text(span, "http.route", "/orders/{id}");
    expect_text(span, "url.scheme", "http");
    expect_text(span, "url.path", "/orders/7");
    expect_text(span, "url.query", NULL);
    expect_text(span, "server.address", "shop.example");
    expect_number(span, "server.port", 8080);
    expect_text(span, "client.address", "test");
    expect_text(span, "network.protocol.version", "1.1");
    expect_text(span, "user_agent.original", "test/1");
    expect_number(span, "http.response.status_code", 200);
    expect_text(span, "error.type", NULL);
    svc_app_free(app);
    free_taken();
}

static int fail_badly(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return SVC_ESYSTEM;
}

static int answer_409(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_problem(res, 409, "is there");
}

/* Of the client's errors none is the service's. */
Test(span, only_the_services_errors_fail_a_request)
{
    static const struct {
        const char *method, *target, *name;
        int status;
        const char *type;
    } rows[] = {
        {"GET", "/bad", "GET /bad", 500, "500"},
        {"GET", "/there", "GET /there", 409, NULL},
        {"GET", "/nowhere", "GET", 404, NULL},
        {"BREW", "/there", "HTTP", 501, "501"},
    };
    svc_sys_exporter exporter = collecting();
    svc_app *app = make_app(&exporter);
    svc_app_get(app, "/bad", fail_badly, NULL);
    svc_app_get(app, "/there", answer_409, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(ask(app, rows[i].method, rows[i].target, NULL), rows[i].status);
        cr_assert_eq(taken_count, 1);
        const svc_sys_span *span = find_span(rows[i].name);
        expect_number(span, "http.response.status_code", rows[i].status);
        expect_text(span, "error.type", rows[i].type);
        cr_expect_eq(span->failed, rows[i].type != NULL);
        free_taken();
    }
    svc_app_free(app);
}

Test(span, a_method_that_nobody_knows_is_kept_aside)
{
    svc_sys_exporter exporter = collecting();
    svc_app *app = make_app(&exporter);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "BREW /pot";
    route.handler = answer;
    svc_app_route(app, &route);
    cr_expect_eq(ask(app, "BREW", "/pot", NULL), 200);
    const svc_sys_span *span = find_span("HTTP /pot");
    expect_text(span, "http.request.method", "_OTHER");
    expect_text(span, "http.request.method_original", "BREW");
    svc_app_free(app);
    free_taken();
}

/* What the program says of its request stands, also against what the library would say. */
static int describe_request(svc_request *req, svc_response *res)
{
    svc_span *span = svc_request_span(req);
    cr_assert(span);
    svc_span_set(span, svc_kv_str("user.id", "7"), svc_kv_str("url.path", "hidden"));
    svc_span_fail(span, "quota", "nothing is left");
    svc_span_end(span);
    cr_expect_eq(svc_request_span(req), span);
    return svc_response_text(res, 200, "ok");
}

Test(span, a_handler_adds_to_the_requests_own)
{
    svc_sys_exporter exporter = collecting();
    cr_expect_eq(ask_handler(&exporter, describe_request, NULL), 200);
    cr_assert_eq(taken_count, 1);
    const svc_sys_span *span = find_span("GET /");
    expect_text(span, "user.id", "7");
    expect_text(span, "url.path", "hidden");
    expect_text(span, "error.type", "quota");
    cr_expect(span->failed);
    cr_expect_str_eq(span->message, "nothing is left");
    free_taken();
}

/* ---- Those of a handler */

static int make_calls(svc_request *req, svc_response *res)
{
    char expected[64];
    svc_span *outer = svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "load");
    svc_span *inner = svc_span_begin(req, outer, SVC_SPAN_CLIENT, "GET orders");
    cr_assert(outer && inner);
    svc_span_set(inner, svc_kv_str("server.address", "first"), svc_kv_int("server.port", 80));
    svc_span_set(inner, svc_kv_str("server.address", "orders"), svc_kv_double("ratio", 0.5),
                 svc_kv_bool("cached", false), svc_kv_bytes("raw", "a\0b\xff", 4));
    svc_span_fail(inner, "timeout", "no answer");
    svc_span_link(inner, TRACEPARENT "01");
    svc_span_link(inner, "nonsense");
    const char *sent = svc_span_traceparent(req, inner);
    snprintf(expected, sizeof expected, "00-%s-", svc_request_trace_id(req));
    cr_expect(!strncmp(sent, expected, strlen(expected)), "%s", sent);
    svc_response_set_header(res, "Sent", sent + SVC_TRACE_SPAN_AT);
    svc_span_end(inner);
    svc_span_end(inner);
    svc_span_set(inner, svc_kv_str("late", "yes"));
    svc_span_end(outer);
    return svc_response_text(res, 200, "ok");
}

Test(span, spans_of_a_handler_are_within_its_request)
{
    svc_sys_exporter exporter = collecting();
    cr_expect_eq(ask_handler(&exporter, make_calls, NULL), 200);
    cr_assert_eq(taken_count, 3);
    const svc_sys_span *request = find_span("GET /"), *outer = find_span("load"),
                       *inner = find_span("GET orders");
    expect_within(outer, request);
    cr_expect(!memcmp(inner->parent_id, outer->span_id, sizeof inner->parent_id));
    cr_expect_eq(outer->kind, SVC_SPAN_INTERNAL);
    cr_expect_eq(inner->kind, SVC_SPAN_CLIENT);
    cr_expect_eq(inner->attribute_count, 6);
    expect_text(inner, "server.address", "orders");
    expect_number(inner, "server.port", 80);
    expect_text(inner, "error.type", "timeout");
    cr_expect_eq(find_item(inner, "raw")->len, 4);
    cr_expect(inner->failed && !outer->failed);
    cr_expect_str_eq(inner->message, "no answer");
    cr_assert_eq(inner->link_count, 1);
    expect_id(inner->links[0].span_id, sizeof inner->links[0].span_id, PARENT);
    free_taken();
}

static int leave_open(svc_request *req, svc_response *res)
{
    cr_assert(svc_span_begin(req, NULL, 99, "left open"));
    return svc_response_text(res, 200, "ok");
}

Test(span, one_that_is_left_open_ends_with_its_request)
{
    svc_sys_exporter exporter = collecting();
    cr_expect_eq(ask_handler(&exporter, leave_open, NULL), 200);
    cr_assert_eq(taken_count, 2);
    const svc_sys_span *span = find_span("left open");
    cr_expect_eq(span->kind, SVC_SPAN_INTERNAL);
    cr_expect_geq(span->ended_unix_ns, span->started_unix_ns);
    free_taken();
}

enum { PARTS = 300 };

static int begin_many(svc_request *req, svc_response *res)
{
    const svc_span *first = NULL;
    for (size_t i = 0; i < PARTS; i++) {
        svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "part");
        cr_assert(span && (!first || span == first), "an ended span's memory is used again");
        first = span;
        svc_span_end(span);
    }
    return svc_response_text(res, 200, "ok");
}

Test(span, a_request_without_end_needs_no_memory_without_end)
{
    svc_sys_exporter exporter = collecting();
    cr_expect_eq(ask_handler(&exporter, begin_many, NULL), 200);
    cr_expect_eq(taken_count, PARTS + 1);
    free_taken();
}

static int overdo(svc_request *req, svc_response *res)
{
    char key[16];
    static char text[40000];
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "much");
    svc_span_set(span, svc_kv_str("cut", "aä€😀bcdef"));
    for (int i = 0; i < 5; i++) {
        snprintf(key, sizeof key, "key%d", i);
        svc_span_set(span, svc_kv_int(key, i));
        svc_span_link(span, TRACEPARENT "00");
    }
    svc_span *large = svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "large");
    memset(text, 'x', sizeof text - 1);
    svc_span_set(large, svc_kv_str("first", text), svc_kv_str("second", text),
                 svc_kv_int("third", 3));
    return svc_response_text(res, 200, "ok");
}

Test(span, what_is_over_a_limit_is_counted)
{
    svc_sys_exporter exporter = collecting();
    exporter.max_attributes = 4;
    exporter.max_links = 2;
    exporter.max_text = 4;
    cr_expect_eq(ask_handler(&exporter, overdo, NULL), 200);
    const svc_sys_span *span = find_span("much");
    cr_expect_eq(span->attribute_count, 4);
    cr_expect_eq(span->attributes_left_out, 2);
    cr_expect_eq(span->link_count, 2);
    cr_expect_eq(span->links_left_out, 3);
    expect_text(span, "cut", "aä€😀");
    free_taken();
    exporter = collecting();
    cr_expect_eq(ask_handler(&exporter, overdo, NULL), 200);
    span = find_span("large");
    cr_expect_eq(span->attribute_count, 2, "only the ceiling of a span's memory leaves out");
    cr_expect_eq(span->attributes_left_out, 1);
    expect_number(span, "third", 3);
    free_taken();
}

/* ---- Which are recorded */

static int expect_recorded(svc_request *req, svc_response *res)
{
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "call");
    const char *sent = svc_request_traceparent(req);
    cr_expect_eq(span != NULL, svc_request_sampled(req));
    cr_expect(!strncmp(sent + SVC_TRACE_SPAN_AT, svc_request_span_id(req), SVC_TRACE_SPAN_DIGITS),
              "a call without a span of its own is the request's");
    svc_span_end(span);
    return svc_response_text(res, 200, "ok");
}

Test(span, the_exporter_decides_at_the_head)
{
    static const struct {
        const char *traceparent;
        int parent;
        bool by_default;
    } rows[] = {
        {NULL, SVC_SYS_PARENT_NONE, true},
        {TRACEPARENT "00", SVC_SYS_PARENT_UNSAMPLED, false},
        {TRACEPARENT "01", SVC_SYS_PARENT_SAMPLED, true},
    };
    svc_sys_exporter exporter = collecting();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const headers[] = {rows[i].traceparent ? "traceparent" : "x",
                                       rows[i].traceparent ? rows[i].traceparent : "y", NULL};
        exporter.sample = NULL;
        cr_expect_eq(ask_handler(&exporter, expect_recorded, headers), 200);
        cr_expect_eq(taken_count, rows[i].by_default ? 2 : 0);
        free_taken();
        exporter.sample = sample;
        for (int yes = 0; yes < 2; yes++) {
            sample_answer = yes;
            cr_expect_eq(ask_handler(&exporter, expect_recorded, headers), 200);
            cr_expect_eq(sampled_parent, rows[i].parent);
            cr_expect_eq(taken_count, yes ? 2 : 0);
            free_taken();
        }
    }
}

static int decide_late(svc_request *req, svc_response *res)
{
    cr_expect_null(svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "before"));
    svc_request_set_sampled(req, true);
    svc_span_end(svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "behind"));
    return svc_response_text(res, 200, "ok");
}

Test(span, a_handler_may_sample_its_request)
{
    svc_sys_exporter exporter = collecting();
    exporter.sample = sample;
    cr_expect_eq(ask_handler(&exporter, decide_late, NULL), 200);
    cr_expect_eq(taken_count, 2);
    find_span("GET /");
    find_span("behind");
    free_taken();
}

static int fail_or_not(svc_request *req, svc_response *res)
{
    svc_span_end(svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "ended"));
    cr_expect(svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "open"));
    cr_expect_not(svc_request_sampled(req));
    if (svc_request_query(req, "mark"))
        svc_span_fail(svc_request_span(req), "marked", NULL);
    return svc_request_query(req, "fail") ? SVC_ESYSTEM : svc_response_text(res, 200, "ok");
}

Test(span, those_of_a_request_that_fails_are_kept)
{
    svc_sys_exporter exporter = collecting();
    exporter.sample = sample;
    exporter.keeps_failed = 1;
    svc_app *app = make_app(&exporter);
    svc_app_get(app, "/", fail_or_not, NULL);
    cr_expect_eq(ask(app, "GET", "/", NULL), 200);
    cr_expect_eq(taken_count, 0);
    cr_expect_eq(ask(app, "GET", "/?mark=1", NULL), 200);
    cr_expect_eq(taken_count, 3);
    free_taken();
    cr_expect_eq(ask(app, "GET", "/?fail=1", NULL), 500);
    cr_expect_eq(taken_count, 3);
    expect_within(find_span("ended"), find_span("GET /"));
    find_span("open");
    svc_app_free(app);
    free_taken();
}

static int begin_unsampled(svc_request *req, svc_response *res)
{
    size_t begun = 0;
    (void)res;
    for (int i = 0; i < PARTS; i++) {
        svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "part");
        begun += span != NULL;
        svc_span_end(span);
    }
    cr_expect_eq(begun, 128);
    return SVC_ESYSTEM;
}

Test(span, those_that_may_never_be_wanted_have_a_ceiling)
{
    svc_sys_exporter exporter = collecting();
    exporter.sample = sample;
    exporter.keeps_failed = 1;
    cr_expect_eq(ask_handler(&exporter, begin_unsampled, NULL), 500);
    cr_expect_eq(taken_count, 129);
    free_taken();
}

Test(span, a_caller_that_is_not_trusted_is_linked)
{
    static const char *const headers[] = {"traceparent", TRACEPARENT "01", NULL};
    svc_config config = SVC_CONFIG_INIT;
    config.trace_trust = 0;
    svc_sys_exporter exporter = collecting();
    svc_app *app = make_app(&exporter);
    svc_app_configure(app, &config);
    svc_app_get(app, "/", answer, NULL);
    cr_expect_eq(ask(app, "GET", "/", headers), 200);
    const svc_sys_span *span = find_span("GET /");
    cr_assert_eq(span->link_count, 1);
    expect_id(span->links[0].trace_id, sizeof span->links[0].trace_id, ID);
    expect_id(span->parent_id, sizeof span->parent_id, "0000000000000000");
    cr_expect_not(span->parent_is_remote);
    svc_app_free(app);
    free_taken();
}

/* ---- Other threads, and requests that nobody waits for any more */

static svc_span *handed;

static void *answer_later(void *arg)
{
    svc_pending *pending = arg;
    svc_response *res = svc_response_new();
    svc_span_set(handed, svc_kv_str("from", "elsewhere"));
    svc_span_end(handed);
    svc_response_text(res, 200, "late");
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
    return NULL;
}

static pthread_t elsewhere;

static void ignore_cancel(svc_pending *pending, void *arg)
{
    (void)pending, (void)arg;
}

static int defer(svc_request *req, svc_response *res)
{
    (void)res;
    handed = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "handed");
    svc_pending *pending = svc_request_defer(req, ignore_cancel, NULL);
    cr_assert(handed && pending);
    cr_assert_eq(pthread_create(&elsewhere, NULL, answer_later, pending), 0);
    return 0;
}

Test(span, another_thread_ends_one_with_a_pending_answer)
{
    svc_sys_exporter exporter = collecting();
    cr_expect_eq(ask_handler(&exporter, defer, NULL), 200);
    pthread_join(elsewhere, NULL);
    cr_assert_eq(taken_count, 2);
    expect_text(find_span("handed"), "from", "elsewhere");
    expect_within(find_span("handed"), find_span("GET /"));
    free_taken();
}

static sem_t let_end;

static int outlast(svc_request *req, svc_response *res)
{
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "outlasts");
    cr_assert(span);
    while (sem_wait(&let_end))
        continue;
    svc_span_set(svc_request_span(req), svc_kv_str("late", "yes"));
    svc_span_end(span);
    return svc_response_text(res, 200, "too late");
}

static void expect_outlasted(const svc_sys_exporter *exporter)
{
    sem_init(&let_end, 0, 0);
    svc_app *app = make_app(exporter);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /";
    route.handler = outlast;
    route.flags = SVC_BLOCKING;
    route.timeout_ms = 1000; /* for a worker to begin */
    svc_app_route(app, &route);
    cr_expect_eq(ask(app, "GET", "/", NULL), 504);
    cr_expect_eq(taken_count, 1, "the request's span does not wait for the handler");
    const svc_sys_span *span = find_span("GET /");
    expect_text(span, "error.type", "504");
    sem_post(&let_end);
    svc_app_free(app);
    cr_assert_eq(taken_count, 2);
    expect_text(span, "late", NULL);
    cr_expect_str_eq(taken[1]->name, "outlasts");
    cr_expect(!memcmp(taken[1]->parent_id, span->span_id, sizeof span->span_id));
    free_taken();
}

Test(span, a_handler_that_outlasts_its_request_has_spans_within_it)
{
    svc_sys_exporter exporter = collecting();
    expect_outlasted(&exporter);
    exporter.sample = sample;
    exporter.keeps_failed = 1;
    expect_outlasted(&exporter);
}

/* ---- Who has an exporter */

Test(span, an_app_has_one_exporter)
{
    svc_sys_exporter exporter = collecting(), none = SVC_SYS_EXPORTER_INIT;
    svc_app *app = make_app(NULL);
    cr_expect_eq(svc_sys_app_set_exporter(app, &none), SVC_EINVAL);
    cr_expect_eq(svc_sys_app_set_exporter(NULL, &exporter), SVC_ENOMEM);
    svc_app_free(app);
    app = make_app(&exporter);
    cr_expect_eq(svc_sys_app_set_exporter(app, &exporter), SVC_ESTATE);
    cr_expect(svc_sys_app_exporter(app)->take == take);
    cr_expect_null(svc_sys_app_exporter(NULL));
    svc_app_free(app);
}

Test(span, that_of_a_mounted_app_serves_if_there_is_no_other)
{
    svc_sys_exporter exporter = collecting();
    svc_app *app = make_app(NULL), *inner = make_app(&exporter);
    svc_app_get(inner, "/in", answer, NULL);
    svc_app_get(app, "/out", answer, NULL);
    cr_assert_eq(svc_app_mount(app, "/inner", inner), 0);
    cr_expect_eq(ask(app, "GET", "/inner/in", NULL), 200);
    cr_expect_eq(ask(app, "GET", "/out", NULL), 200);
    cr_assert_eq(taken_count, 2);
    find_span("GET /inner/in");
    svc_app_free(app);
    free_taken();
}

Test(span, without_trace_context_there_are_none)
{
    svc_config config = SVC_CONFIG_INIT;
    config.trace_context = 0;
    svc_sys_exporter exporter = collecting();
    svc_app *app = make_app(&exporter);
    svc_app_configure(app, &config);
    svc_app_get(app, "/", answer, NULL);
    cr_expect_eq(ask(app, "GET", "/", NULL), 200);
    cr_expect_eq(taken_count, 0);
    svc_app_free(app);
}

Test(span, memory_of_the_seam_lives_as_long_as_the_app)
{
    svc_app *app = make_app(NULL);
    char *memory = svc_sys_app_alloc(app, 100000);
    cr_assert(memory);
    for (size_t i = 0; i < 100000; i++)
        cr_assert_eq(memory[i], 0);
    memset(memory, 1, 100000);
    svc_app_get(app, "/", answer, NULL);
    cr_expect_eq(ask(app, "GET", "/", NULL), 200);
    cr_expect_null(svc_sys_app_alloc(app, 1));
    cr_expect_null(svc_sys_app_alloc(NULL, 1));
    svc_app_free(app);
}

Test(span, a_library_keeps_its_mistakes_with_the_apps)
{
    svc_app *app = make_app(NULL);
    cr_expect_eq(svc_sys_app_refuse(app, SVC_EINVAL, "svc_other_add"), SVC_EINVAL);
    cr_expect_eq(svc_sys_app_refuse(NULL, SVC_EINVAL, "svc_other_add"), SVC_ENOMEM);
    cr_expect(strstr(svc_app_errors(app), "svc_other_add"));
    svc_app_free(app);
}
