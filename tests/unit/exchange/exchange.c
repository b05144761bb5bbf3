#include <criterion/criterion.h>
#include <string.h>

#include <svc/middleware.h>
#include <svc/test.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/away.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/run/reactor.h"

static svc_app *app;
static struct exchange_host host;
static struct svc_loop loop;
static char trace[128]; /* what the layer did */

static int handler(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response_set_header(res, "X-Own", "1");
    return svc_response_text(res, 200, "the answer");
}

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    strcat(trace, "request ");
    return svc_request_header(req, "X-Wait") ? SVC_WAIT : SVC_PASS;
}

static int on_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    strcat(trace, "response ");
    return svc_response_set_header(res, "X-Layer", "seen");
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    (void)req, (void)res, (void)layer, (void)done;
    strcat(trace, "done ");
}

static const svc_middleware first = {.size = sizeof first,
                                     .name = "first",
                                     .on_request = on_request,
                                     .on_response = on_response,
                                     .on_done = on_done};

static unsigned news; /* that the transport was told of */

static void take_news(struct transport *transport)
{
    (void)transport;
    news++;
}

static struct peer peer;
static struct transport transport = {take_news, "http", &peer};

static void wake(struct exchange_host *from, struct exchange *x)
{
    (void)from, (void)x;
}

static void open_app(void)
{
    app = svc_app_new("exchange");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = config.request_id = 0;
    svc_app_configure(app, &config);
    svc_app_use(app, &first);
    svc_app_post(app, "/a", handler, NULL);
    cr_assert_eq(svc__app_ready(app), 0);
    host = (struct exchange_host){.wake = wake, .loop = &loop};
    svc__buf_init(&host.scratch, 65536);
}

static void close_app(void)
{
    svc__buf_free(&host.scratch);
    svc_app_free(app);
}

TestSuite(core_exchange, .init = open_app, .fini = close_app);

/* An exchange whose head is in: a POST with these two fields, and Host. */
static struct exchange *begin(const char *name, const char *value, const char *name2,
                              const char *value2)
{
    static struct field fields[3];
    const char *texts[] = {"Host", "a", name, value, name2, value2};
    for (size_t i = 0; i < 3; i++)
        fields[i] = (struct field){svc__bytes_z(texts[2 * i]), svc__bytes_z(texts[2 * i + 1])};
    struct head head = {svc__bytes_z("POST"), svc__bytes_z("/a"), 1, fields, 3, 0};
    head.bytes = svc__head_size(&head);
    struct exchange *x = svc__dispatch_new(app->plan, &host, &transport, head.target_raw);
    cr_assert(x);
    strcpy(x->request.peer.text, "test");
    svc__dispatch_head(x, &head);
    return x;
}

static void end(struct exchange *x)
{
    svc__dispatch_done(x, SVC_COMPLETE, 0);
    svc__exchange_unref(x);
}

static void expect_problem(struct exchange *x, int status, const char *type, const char *body)
{
    size_t len;
    const char *data = svc_response_body(&x->response, &len);
    cr_expect_eq(x->response.status, status, "%d", x->response.status);
    cr_expect_str_eq(svc_response_header(&x->response, "Content-Type"), type);
    cr_expect(svc__bytes_eq_z(svc__bytes(data, len), body), "%.*s", (int)len, data);
}

Test(core_exchange, a_reply_that_cannot_be_sent_becomes_a_problem_like_all_others)
{
    struct exchange *x = begin("X-A", "1", "X-B", "2");
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_REPLY);
    cr_expect_eq(x->response.status, 200);
    svc__dispatch_fail_reply(x, "of no use");
    expect_problem(x, 500, "application/problem+json",
                   "{\"title\":\"Internal Server Error\",\"status\":500}\n");
    cr_expect_null(svc_response_header(&x->response, "X-Own"), "the reply is another one");
    end(x);
    x = begin("Accept", "text/plain", "X-B", "2");
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_REPLY);
    svc__dispatch_fail_reply(x, "of no use");
    expect_problem(x, 500, "text/plain; charset=utf-8", "Internal Server Error\n");
    end(x);
}

Test(core_exchange, without_memory_the_answer_of_last_resort_is_bare)
{
    struct exchange *x = begin("X-A", "1", "X-B", "2");
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_REPLY);
    for (size_t size = EXCHANGE_MEMORY; size > 0; size /= 2)
        while (svc_request_alloc(&x->request, size))
            continue;
    svc__dispatch_fail_reply(x, "of no use");
    cr_expect_eq(x->response.status, 500);
    cr_expect_eq(x->response.field_count, 0);
    cr_expect_eq(svc__exchange_reply_length(x), 0);
    end(x);
}

Test(core_exchange, a_deadline_of_the_body_answers_through_the_chain)
{
    struct exchange *x = begin("Content-Length", "5", "X-B", "2");
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_BODY);
    cr_assert_eq(svc__dispatch_body(x, "hel", 3), EXCHANGE_BODY);
    cr_assert_eq(svc__dispatch_refuse(x, 408, "the body took too long", SVC_TIMED_OUT), x);
    cr_expect_str_eq(svc_response_header(&x->response, "X-Layer"), "seen");
    expect_problem(
        x, 408, "application/problem+json",
        "{\"title\":\"Request Timeout\",\"status\":408,\"detail\":\"the body took too long\"}\n");
    end(x);
    cr_expect_str_eq(trace, "request response done ");
}

/* A layer that waits has not passed: it sees neither the way out nor the end. */
Test(core_exchange, a_deadline_of_a_waiting_layer_answers_through_those_that_have_passed)
{
    struct exchange *x = begin("X-Wait", "1", "X-B", "2");
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_WAIT);
    struct exchange *stand_in = svc__dispatch_refuse(x, 504, NULL, SVC_TIMED_OUT);
    cr_assert(stand_in && stand_in != x);
    expect_problem(stand_in, 504, "application/problem+json",
                   "{\"title\":\"Gateway Timeout\",\"status\":504}\n");
    end(stand_in);
    cr_expect_eq(svc_request_resume(&x->request), SVC_ELATE);
    svc__away_news(x);
    cr_expect_eq(news, 0);
    cr_expect_str_eq(trace, "request ");
}
