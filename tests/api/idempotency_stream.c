/* Idempotency keys: answers that are large, and answers that are streams. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/api/idempotency_stage.h"

TestSuite(idempotency_stream, .init = open_payments, .fini = close_payments);

/* ---- Large answers and streams */

static size_t body_len, body_at;
static bool body_fails;

static int64_t read_letters(void *state, char *data, size_t len)
{
    (void)state;
    size_t left = body_len - body_at, n = left < len ? left : len;
    n = n < 1000 ? n : 1000;
    if (n == 0 && body_fails)
        return SVC_EUNAVAILABLE;
    memset(data, 'a' + (int)(body_at % 26), n);
    body_at += n;
    return (int64_t)n;
}

static int stream_of(svc_response *res, uint64_t length)
{
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_letters;
    source.length = length;
    body_at = 0;
    handled++;
    return svc_response_source(res, 201, "text/plain", &source);
}

static int stream_known(svc_request *req, svc_response *res)
{
    (void)req;
    return stream_of(res, body_len);
}

static int stream_unknown(svc_request *req, svc_response *res)
{
    (void)req;
    return stream_of(res, SVC_LENGTH_UNKNOWN);
}

static int write_into(svc_pipe *pipe, void *arg)
{
    (void)arg;
    return svc_pipe_write(pipe, "written", 7);
}

static int stream_written(svc_request *req, svc_response *res)
{
    (void)req;
    handled++;
    return svc_response_writer(res, 201, "text/plain", write_into, NULL);
}

static void add_streams(void)
{
    open_default();
    svc_group_post(payments_group, "/known", stream_known, NULL);
    svc_group_post(payments_group, "/unknown", stream_unknown, NULL);
    svc_group_post(payments_group, "/written", stream_written, NULL);
}

static void expect_same(const char *target, const char *key)
{
    svc_reply *first = send_to("POST", target, "ada", key, "body");
    svc_reply *second = send_to("POST", target, "ada", key, "body");
    size_t len, again;
    const char *body = svc_reply_body(first, &len), *repeated = svc_reply_body(second, &again);
    cr_expect_eq(svc_reply_status(first), 201, "%s", body);
    cr_expect_str_eq(svc_reply_header(second, "Idempotent-Replayed"), "true");
    cr_assert_eq(len, again);
    cr_expect_eq(memcmp(body, repeated, len), 0);
    svc_reply_free(first);
    svc_reply_free(second);
}

Test(idempotency_stream, a_stream_is_kept_while_it_is_sent)
{
    add_streams();
    body_len = 5000;
    expect_same("/known", "\"1\"");
    expect_same("/unknown", "\"2\"");
    expect_same("/written", "\"3\"");
    body_len = 0;
    expect_same("/unknown", "\"4\"");
    expect_same("/known", "\"5\"");
    cr_expect_eq(handled, 5);
}

static void expect_lost(const char *target, const char *key)
{
    int before = handled;
    svc_reply_free(send_to("POST", target, "ada", key, "body"));
    expect_reply(send_to("POST", target, "ada", key, "body"), 409, "could not be kept");
    expect_reply(send_to("POST", target, "ada", key, "Body"), 422, "another request");
    cr_expect_eq(handled, before + 1);
}

Test(idempotency_stream, an_answer_that_is_too_large_is_answered_and_not_kept)
{
    add_streams();
    body_len = 100000;
    expect_lost("/known", "\"1\"");
    expect_lost("/unknown", "\"2\"");
    cr_expect_eq(body_at, 100000, "all of it was sent");
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_too_large_total"), 2);
    cr_expect_eq(results("lost"), 2);
}

static int answer_large(svc_request *req, svc_response *res)
{
    static char large[100001];
    (void)req;
    memset(large, 'a', sizeof large - 1);
    handled++;
    return svc_response_text(res, 200, large);
}

Test(idempotency_stream, so_is_one_in_memory_and_one_that_is_too_large_for_the_store)
{
    svc_idempotency keys = by_authorization();
    add_streams();
    svc_group_post(payments_group, "/large", answer_large, NULL);
    keys.store = svc_store_open(payments_app, "memory:?max_value=256");
    svc_group *tight = svc_app_group(payments_app, "/tight");
    svc_group_use(tight, svc_idempotency_new(payments_app, &keys));
    svc_group_post(tight, "/known", stream_known, NULL);
    body_len = 300;
    expect_lost("/large", "\"1\"");
    expect_lost("/tight/known", "\"2\"");
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_too_large_total"), 2);
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_store_failures_total"), 0);
}

Test(idempotency_stream, a_stream_that_fails_frees_the_key)
{
    add_streams();
    body_len = 5000;
    body_fails = true;
    svc_reply *reply = send_to("POST", "/unknown", "ada", "\"1\"", "body");
    cr_expect_eq(svc_reply_outcome(reply), SVC_CUT);
    svc_reply_free(reply);
    body_fails = false;
    expect_same("/unknown", "\"1\"");
    cr_expect_eq(handled, 2);
}

Test(idempotency_stream, a_client_that_leaves_in_the_middle_of_a_stream_gets_no_second_run)
{
    static const char *const headers[] = {"Authorization", "ada", "Idempotency-Key", "\"1\"", NULL};
    add_streams();
    body_len = 60000;
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = "/known";
    test.headers = headers;
    test.max_reply_bytes = 1000;
    svc_reply *reply = svc_app_test(payments_app, &test);
    cr_expect_eq(svc_reply_outcome(reply), SVC_CLIENT_GONE);
    svc_reply_free(reply);
    expect_reply(send_to("POST", "/known", "ada", "\"1\"", NULL), 409, "could not be kept");
    cr_expect_eq(handled, 1);
}
