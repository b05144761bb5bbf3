/* The trace of a request: continued, begun, and passed on. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define TRACEPARENT "00-" ID "-" PARENT "-"

/* A header field for what a request says; "-" where it says "". */
static void put(svc_response *res, const char *name, const char *text)
{
    cr_assert(text);
    svc_response_set_header(res, name, *text ? text : "-");
}

/* Answers with what the request says of its trace. */
static int tell(svc_request *req, svc_response *res)
{
    put(res, "Trace", svc_request_trace_id(req));
    put(res, "Span", svc_request_span_id(req));
    put(res, "Parent", svc_request_parent_id(req));
    svc_response_set_header(res, "Sampled", svc_request_sampled(req) ? "1" : "0");
    put(res, "Traceparent", svc_request_traceparent(req));
    put(res, "Tracestate", svc_request_tracestate(req));
    cr_expect_eq(svc_request_trace_id(req), svc_request_trace_id(req), "rendered once");
    cr_expect_eq(svc_request_tracestate(req), svc_request_tracestate(req), "rendered once");
    return svc_response_empty(res, 204);
}

static svc_app *make_app(const svc_config *config)
{
    svc_app *app = svc_app_new("tracing");
    svc_app_configure(app, config);
    svc_app_get(app, "/", tell, NULL);
    return app;
}

static svc_config quiet(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    return config;
}

static svc_reply *ask_with(svc_app *app, const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert_eq(svc_reply_status(reply), 204, "%s", svc_app_errors(app));
    return reply;
}

/* One request with those fields, of an app with those settings. */
static svc_reply *ask(const svc_config *config, const char *const *headers)
{
    svc_app *app = make_app(config);
    svc_reply *reply = ask_with(app, headers);
    svc_app_free(app);
    return reply;
}

static void expect_id(const char *id, size_t digits)
{
    cr_expect_eq(strlen(id), digits, "%s", id);
    cr_expect_eq(strspn(id, "0123456789abcdef"), digits, "%s", id);
    cr_expect_lt(strspn(id, "0"), digits, "%s", id);
}

/* What is sent on names the trace, a span of the call, and the flags. */
static void expect_sent(const svc_reply *reply, const char *flags)
{
    char expected[64], span[SVC_TRACE_SPAN_DIGITS + 1];
    const char *sent = svc_reply_header(reply, "Traceparent");
    cr_assert_eq(strlen(sent), 55, "%s", sent);
    snprintf(span, sizeof span, "%s", sent + SVC_TRACE_SPAN_AT);
    expect_id(span, SVC_TRACE_SPAN_DIGITS);
    cr_expect_str_neq(span, svc_reply_header(reply, "Span"));
    cr_expect_str_neq(span, svc_reply_header(reply, "Parent"));
    snprintf(expected, sizeof expected, "00-%s-%s-%s", svc_reply_header(reply, "Trace"), span,
             flags);
    cr_expect_str_eq(sent, expected);
}

Test(trace, a_request_continues_the_trace_that_it_brings)
{
    static const struct {
        const char *inbound, *flags;
    } rows[] = {
        {TRACEPARENT "00", "00"}, {TRACEPARENT "01", "01"}, {TRACEPARENT "02", "02"},
        {TRACEPARENT "03", "03"}, {TRACEPARENT "ff", "03"}, {"cc-" ID "-" PARENT "-01-more", "01"},
    };
    svc_config config = quiet();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const headers[] = {"TraceParent", rows[i].inbound, NULL};
        svc_reply *reply = ask(&config, headers);
        cr_expect_str_eq(svc_reply_header(reply, "Trace"), ID);
        cr_expect_str_eq(svc_reply_header(reply, "Parent"), PARENT);
        expect_id(svc_reply_header(reply, "Span"), 16);
        cr_expect_str_neq(svc_reply_header(reply, "Span"), PARENT);
        cr_expect_str_eq(svc_reply_header(reply, "Sampled"), (rows[i].flags[1] & 1) ? "1" : "0");
        expect_sent(reply, rows[i].flags);
        svc_reply_free(reply);
    }
}

static void expect_begun(const svc_config *config, const char *const *headers)
{
    svc_reply *reply = ask(config, headers);
    expect_id(svc_reply_header(reply, "Trace"), 32);
    cr_expect_str_neq(svc_reply_header(reply, "Trace"), ID);
    expect_id(svc_reply_header(reply, "Span"), 16);
    cr_expect_str_eq(svc_reply_header(reply, "Parent"), "-");
    cr_expect_str_eq(svc_reply_header(reply, "Sampled"), "0");
    cr_expect_str_eq(svc_reply_header(reply, "Tracestate"), "-");
    expect_sent(reply, "02");
    svc_reply_free(reply);
}

Test(trace, without_one_that_can_be_read_a_request_begins_its_own)
{
    static const char *const none[] = {"tracestate", "a=1", NULL};
    static const char *const broken[] = {"traceparent", TRACEPARENT "0x", "tracestate", "a=1",
                                         NULL};
    static const char *const zeros[] = {"traceparent", "00-" ID "-0000000000000000-01", NULL};
    static const char *const upper[] = {"traceparent",
                                        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", NULL};
    static const char *const forbidden[] = {"traceparent", "ff-" ID "-" PARENT "-01", NULL};
    static const char *const longer[] = {"traceparent", TRACEPARENT "01-more", NULL};
    static const char *const twice[] = {"traceparent", TRACEPARENT "01", "traceparent",
                                        TRACEPARENT "01", NULL};
    static const char *const *const all[] = {NULL,  none,      broken, zeros,
                                             upper, forbidden, longer, twice};
    svc_config config = quiet();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        expect_begun(&config, all[i]);
}

Test(trace, a_public_edge_trusts_nobody)
{
    static const char *const headers[] = {"traceparent", TRACEPARENT "01", "tracestate", "a=1",
                                          NULL};
    svc_config config = quiet();
    config.trace_trust = 0;
    expect_begun(&config, headers);
}

Test(trace, every_request_is_a_span_of_its_own)
{
    svc_config config = quiet();
    svc_app *app = make_app(&config);
    svc_reply *first = ask_with(app, NULL), *second = ask_with(app, NULL);
    cr_expect_str_neq(svc_reply_header(first, "Trace"), svc_reply_header(second, "Trace"));
    cr_expect_str_neq(svc_reply_header(first, "Span"), svc_reply_header(second, "Span"));
    svc_reply_free(first);
    svc_reply_free(second);
    svc_app_free(app);
}

static int call_thrice(svc_request *req, svc_response *res)
{
    const char *calls[3], *own = svc_request_span_id(req);
    for (size_t i = 0; i < 3; i++) {
        calls[i] = svc_request_traceparent(req);
        cr_expect(strncmp(calls[i] + SVC_TRACE_SPAN_AT, own, SVC_TRACE_SPAN_DIGITS));
        cr_expect_not(strncmp(calls[i], calls[0], SVC_TRACE_SPAN_AT), "of one trace");
        for (size_t j = 0; j < i; j++)
            cr_expect_str_neq(calls[i], calls[j]);
    }
    cr_expect_str_eq(svc_request_span_id(req), own, "the request's own span stays");
    return svc_response_empty(res, 204);
}

Test(trace, each_outgoing_call_is_a_span_of_its_own)
{
    static const char *const headers[] = {"traceparent", TRACEPARENT "01", NULL};
    svc_config config = quiet();
    svc_app *app = svc_app_new("tracing");
    svc_app_configure(app, &config);
    svc_app_get(app, "/", call_thrice, NULL);
    svc_reply_free(ask_with(app, NULL));
    svc_reply_free(ask_with(app, headers));
    svc_app_free(app);
}

Test(trace, off_means_off)
{
    static const char *const headers[] = {"traceparent", TRACEPARENT "01", "tracestate", "a=1",
                                          NULL};
    static const char *const all[] = {"Trace", "Span", "Parent", "Traceparent", "Tracestate"};
    svc_config config = quiet();
    config.trace_context = 0;
    svc_reply *reply = ask(&config, headers);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        cr_expect_str_eq(svc_reply_header(reply, all[i]), "-", "%s", all[i]);
    cr_expect_str_eq(svc_reply_header(reply, "Sampled"), "0");
    expect_id(svc_reply_header(reply, "X-Request-Id"), 32);
    svc_reply_free(reply);
}

Test(trace, a_request_id_that_is_made_is_the_traces_where_that_begins)
{
    static const char *const inbound[] = {"traceparent", TRACEPARENT "01", NULL};
    static const char *const named[] = {"X-Request-Id", "id-1", NULL};
    svc_config config = quiet();
    svc_reply *reply = ask(&config, NULL);
    cr_expect_str_eq(svc_reply_header(reply, "X-Request-Id"), svc_reply_header(reply, "Trace"));
    svc_reply_free(reply);
    reply = ask(&config, inbound);
    expect_id(svc_reply_header(reply, "X-Request-Id"), 32);
    cr_expect_str_neq(svc_reply_header(reply, "X-Request-Id"), ID);
    svc_reply_free(reply);
    reply = ask(&config, named);
    cr_expect_str_eq(svc_reply_header(reply, "X-Request-Id"), "id-1");
    svc_reply_free(reply);
}

Test(trace, a_tracestate_goes_on_with_its_trace)
{
    static const char *const lists[] = {
        "traceparent", TRACEPARENT "01", "Tracestate", "a=1, b=2,", "tracestate", "c=3", NULL};
    static const char *const broken[] = {
        "traceparent", TRACEPARENT "01", "tracestate", "a=1", "tracestate", "B=2", NULL};
    svc_config config = quiet();
    svc_reply *reply = ask(&config, lists);
    cr_expect_str_eq(svc_reply_header(reply, "Tracestate"), "a=1,b=2,c=3");
    svc_reply_free(reply);
    reply = ask(&config, broken);
    cr_expect_str_eq(svc_reply_header(reply, "Trace"), ID, "it does not matter to the trace");
    cr_expect_str_eq(svc_reply_header(reply, "Tracestate"), "-");
    svc_reply_free(reply);
}

/* ---- What a service says itself */

static int set(svc_request *req, svc_response *res)
{
    static char key[200];
    svc_request_tracestate(req);
    svc_request_traceparent(req);
    memset(key, 'k', sizeof key - 1);
    cr_expect_eq(svc_request_set_tracestate(req, "Bad", "1"), SVC_EINVAL);
    cr_expect_eq(svc_request_set_tracestate(req, "own", "a,b"), SVC_EINVAL);
    cr_expect_eq(svc_request_set_tracestate(req, NULL, "1"), SVC_EINVAL);
    cr_expect_eq(svc_request_set_tracestate(req, "own", NULL), SVC_EINVAL);
    cr_expect_eq(svc_request_set_tracestate(req, key, "1"), SVC_ETOOBIG);
    cr_expect_eq(svc_request_set_tracestate(req, "first", "0"), 0);
    cr_expect_eq(svc_request_set_tracestate(req, "own", "1"), 0);
    svc_request_set_sampled(req, true);
    return tell(req, res);
}

static svc_reply *ask_set(const char *const *headers)
{
    svc_config config = quiet();
    svc_app *app = svc_app_new("tracing");
    svc_app_configure(app, &config);
    svc_app_get(app, "/", set, NULL);
    svc_reply *reply = ask_with(app, headers);
    svc_app_free(app);
    return reply;
}

Test(trace, a_service_adds_a_member_and_decides_about_recording)
{
    static const char *const headers[] = {"traceparent", TRACEPARENT "02", "tracestate",
                                          "a=1,own=0,b=2", NULL};
    svc_reply *reply = ask_set(headers);
    cr_expect_str_eq(svc_reply_header(reply, "Tracestate"), "own=1,a=1,b=2");
    cr_expect_str_eq(svc_reply_header(reply, "Sampled"), "1");
    expect_sent(reply, "03");
    svc_reply_free(reply);
    reply = ask_set(NULL);
    cr_expect_str_eq(svc_reply_header(reply, "Tracestate"), "own=1");
    expect_sent(reply, "03");
    svc_reply_free(reply);
}

static int set_without(svc_request *req, svc_response *res)
{
    cr_expect_eq(svc_request_set_tracestate(req, "own", "1"), SVC_ESTATE);
    svc_request_set_sampled(req, true);
    cr_expect_not(svc_request_sampled(req));
    return svc_response_empty(res, 204);
}

Test(trace, without_traces_there_is_nothing_to_set)
{
    svc_config config = quiet();
    config.trace_context = 0;
    svc_app *app = svc_app_new("tracing");
    svc_app_configure(app, &config);
    svc_app_get(app, "/", set_without, NULL);
    svc_reply_free(ask_with(app, NULL));
    svc_app_free(app);
}

/* ---- Log lines */

static char seen[4][64];

static bool see(const svc_log_record *record, void *arg)
{
    bool access = !strcmp(record->module, "access");
    (void)arg;
    snprintf(seen[access], sizeof seen[0], "%s %s", record->trace_id, record->span_id);
    return true;
}

static int log_and_tell(svc_request *req, svc_response *res)
{
    svc_log_info(req, "hello");
    return tell(req, res);
}

Test(trace, the_ids_stand_in_every_line_of_a_request)
{
    static const char *const headers[] = {"traceparent", TRACEPARENT "01", NULL};
    char expected[64];
    svc_app *app = svc_app_new("tracing");
    svc_app_set_log_sink(app, see, NULL);
    svc_app_get(app, "/", log_and_tell, NULL);
    svc_reply *reply = ask_with(app, headers);
    snprintf(expected, sizeof expected, ID " %s", svc_reply_header(reply, "Span"));
    cr_expect_str_eq(seen[0], expected);
    cr_expect_str_eq(seen[1], expected);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int log_only(svc_request *req, svc_response *res)
{
    svc_log_info(req, "hello");
    return svc_response_empty(res, 204);
}

static int log_then_ask(svc_request *req, svc_response *res)
{
    svc_log_info(req, "hello");
    return svc_request_traceparent(req) ? svc_response_empty(res, 204) : SVC_ENOMEM;
}

static int sample_then_log(svc_request *req, svc_response *res)
{
    svc_request_set_sampled(req, true);
    return log_only(req, res);
}

/* Whether the lines of a handler, and of the access log, have ids in a trace that began here. */
static void expect_ids(svc_handler *handler, const svc_config *config, bool own, bool access)
{
    svc_app *app = svc_app_new("tracing");
    svc_app_configure(app, config);
    svc_app_set_log_sink(app, see, NULL);
    svc_app_get(app, "/", handler, NULL);
    svc_reply_free(ask_with(app, NULL));
    enum { NONE = 1, BOTH = 32 + 1 + 16 };
    cr_expect_eq(strlen(seen[0]), own ? BOTH : NONE, "%s", seen[0]);
    cr_expect_eq(strlen(seen[1]), access ? BOTH : NONE, "%s", seen[1]);
    svc_app_free(app);
}

Test(trace, lines_have_ids_that_somebody_else_knows)
{
    svc_config config = SVC_CONFIG_INIT;
    expect_ids(log_only, &config, false, false);
    expect_ids(log_then_ask, &config, false, true);
    expect_ids(sample_then_log, &config, true, true);
    config.request_id = 0;
    expect_ids(log_only, &config, true, true);
    config.request_id = config.log_full = 1;
    expect_ids(log_only, &config, true, true);
    config.trace_context = 0;
    expect_ids(log_only, &config, false, false);
}
