/* Idempotency keys: whose answer is repeated to whom, what is kept, and what set-up says. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/api/idempotency_stage.h"

TestSuite(idempotency, .init = open_payments, .fini = close_payments);

/* ---- First and later requests */

Test(idempotency, the_first_answer_is_repeated)
{
    open_default();
    svc_reply *first = post("ada", "\"k\"", "body"), *second = post("ada", "\"k\"", "body");
    cr_expect_eq(handled, 1);
    cr_expect_null(svc_reply_header(first, "Idempotent-Replayed"));
    cr_expect_str_eq(svc_reply_header(first, "Set-Cookie"), "secret=1");
    cr_expect_str_eq(svc_reply_header(second, "Idempotent-Replayed"), "true");
    cr_expect_str_eq(svc_reply_header(second, "Location"), "/payments/1");
    cr_expect_str_eq(svc_reply_header(second, "Content-Type"),
                     svc_reply_header(first, "Content-Type"));
    cr_expect_null(svc_reply_header(second, "Set-Cookie"));
    expect_reply(first, 201, "payment 1 of 4 bytes");
    expect_reply(second, 201, "payment 1 of 4 bytes");
    cr_expect_eq(results("first"), 1);
    cr_expect_eq(results("replayed"), 1);
}

Test(idempotency, a_request_without_a_body_has_an_answer_too)
{
    open_default();
    expect_reply(post("ada", "\"k\"", NULL), 201, "payment 1");
    expect_reply(post("ada", "\"k\"", NULL), 201, "payment 1");
    expect_reply(post("ada", "\"k\"", "body"), 422, "another request");
    cr_expect_eq(handled, 1);
}

Test(idempotency, patch_is_protected_and_other_methods_are_not)
{
    open_default();
    for (int i = 0; i < 2; i++) {
        svc_reply_free(send_to("PATCH", "/payments", "ada", "\"k\"", "body"));
        cr_expect_eq(handled, 1);
    }
    for (int i = 0; i < 2; i++) {
        svc_reply_free(send_to("PUT", "/payments", "ada", "\"k\"", "body"));
        svc_reply_free(send_to("GET", "/payments", "ada", "\"k\"", NULL));
    }
    cr_expect_eq(handled, 5);
}

Test(idempotency, the_librarys_own_answers_take_no_key)
{
    open_default();
    svc_app_use(payments_app, svc_idempotency_new(payments_app, &(svc_idempotency){.size = 1}));
    cr_expect_not_null(strstr(svc_app_errors(payments_app), "SVC_IDEMPOTENCY_INIT"));
    svc_app_free(payments_app);
    open_payments();
    svc_idempotency keys = by_authorization();
    keys.flags = SVC_IDEMPOTENCY_REQUIRED;
    svc_app_use(payments_app, svc_idempotency_new(payments_app, &keys));
    svc_app_get(payments_app, "/payments", pay, NULL);
    expect_reply(send_to("POST", "/payments", "ada", "\"k\"", "body"), 405, "");
    expect_reply(send_to("POST", "/nowhere", "ada", NULL, "body"), 404, "");
    cr_expect_eq(results("first"), 0);
}

Test(idempotency, without_a_key_each_request_runs)
{
    open_default();
    expect_reply(post("ada", NULL, "body"), 201, "payment 1");
    expect_reply(post(NULL, NULL, "body"), 201, "payment 2");
}

Test(idempotency, another_request_under_the_key_is_refused)
{
    open_default();
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    expect_reply(post("ada", "\"k\"", "Body"), 422, "another request");
    expect_reply(send_to("POST", "/others", "ada", "\"k\"", "body"), 422, "another request");
    expect_reply(send_to("PATCH", "/payments", "ada", "\"k\"", "body"), 422, "another request");
    expect_reply(post("ada", "\"l\"", "body"), 201, "payment 2");
    cr_expect_eq(results("mismatch"), 3);
}

Test(idempotency, each_caller_has_keys_of_its_own)
{
    open_default();
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    expect_reply(post("bob", "\"k\"", "body"), 201, "payment 2");
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    expect_reply(post(NULL, "\"k\"", "body"), 400, "caller");
    cr_expect_eq(results("invalid"), 1);
}

Test(idempotency, callers_may_share_their_keys)
{
    svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
    keys.flags = SVC_IDEMPOTENCY_SHARED;
    add_payments(&keys);
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    expect_reply(post("bob", "\"k\"", "body"), 201, "payment 1");
    expect_reply(post(NULL, "\"k\"", "body"), 201, "payment 1");
}

static const svc_key user_key = {"user"};

static int set_user(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    return svc_request_set(req, &user_key, (char *)(uintptr_t)svc_request_header(req, "User"));
}

Test(idempotency, the_caller_may_be_a_value_of_an_outer_layer)
{
    static svc_middleware outer = SVC_MIDDLEWARE_INIT;
    outer.name = "user";
    outer.on_request = set_user;
    svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
    keys.subject = &user_key;
    svc_app_use(payments_app, &outer);
    add_payments(&keys);
    static const char *const users[] = {"ada", "bob", "ada"}, *const texts[] = {"payment 1",
                                                                                "payment 2",
                                                                                "payment 1"};
    for (size_t i = 0; i < 3; i++) {
        const char *const headers[] = {"User", users[i], "Idempotency-Key", "\"k\"", NULL};
        svc_test test = SVC_TEST_INIT;
        test.method = "POST";
        test.target = "/payments";
        test.headers = headers;
        svc_reply *reply = svc_app_test(payments_app, &test);
        cr_assert(reply, "%s", svc_app_errors(payments_app));
        expect_reply(reply, 201, texts[i]);
    }
}

Test(idempotency, a_bad_key_is_refused)
{
    open_default();
    expect_reply(post("ada", "k", "body"), 400, "double quotes");
    expect_reply(post("ada", "\"\"", "body"), 400, "double quotes");
    expect_reply(post("ada", "\"k", NULL), 400, "double quotes");
    cr_expect_eq(handled, 0);
}

Test(idempotency, a_key_may_be_required_or_without_quotes)
{
    svc_idempotency keys = by_authorization();
    keys.flags = SVC_IDEMPOTENCY_REQUIRED | SVC_IDEMPOTENCY_BARE_KEYS;
    add_payments(&keys);
    expect_reply(post("ada", NULL, "body"), 400, "needs an Idempotency-Key");
    expect_reply(post("ada", "k", "body"), 201, "payment 1");
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
}

Test(idempotency, an_answer_is_forgotten_after_its_time)
{
    svc_idempotency keys = by_authorization();
    keys.ttl_ms = 60000;
    add_payments(&keys);
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    cr_assert_eq(svc_test_store_age(svc_test_store(payments_app), 50000), 0);
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    cr_assert_eq(svc_test_store_age(svc_test_store(payments_app), 11000), 0);
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 2");
}

/* ---- A key that is held */

static svc_reply *twin;

static int pay_with_twin(svc_request *req, svc_response *res)
{
    if (!twin)
        twin = send_to("POST", "/twins", "ada", "\"k\"", "another body");
    return pay(req, res);
}

Test(idempotency, a_twin_of_a_request_under_way_is_refused)
{
    open_default();
    svc_group_post(payments_group, "/twins", pay_with_twin, NULL);
    expect_reply(send_to("POST", "/twins", "ada", "\"k\"", "body"), 201, "payment 1");
    cr_expect_str_eq(svc_reply_header(twin, "Retry-After"), "1");
    expect_reply(twin, 409, "under way");
    cr_expect_eq(results("conflict"), 1);
    expect_reply(send_to("POST", "/twins", "ada", "\"k\"", "body"), 201, "payment 1");
}

static svc_pending *unanswered;

static int never_answer(svc_request *req, svc_response *res)
{
    (void)res;
    if (handled++ > 0)
        return svc_response_text(res, 201, "the second time");
    unanswered = svc_request_defer(req, NULL, NULL);
    return unanswered ? 0 : SVC_ENOMEM;
}

static void add_unanswered(void)
{
    svc_idempotency keys = by_authorization();
    keys.grace_ms = 600000;
    add_payments(&keys);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "POST /unanswered";
    route.handler = never_answer;
    route.timeout_ms = 300;
    svc_group_route(payments_group, &route);
}

/* As after the death of its process: nobody answers, and the store's clock goes on. */
Test(idempotency, a_request_that_is_never_answered_holds_its_key_for_a_time)
{
    add_unanswered();
    expect_reply(send_to("POST", "/unanswered", "ada", "\"k\"", "body"), 504, "");
    expect_reply(send_to("POST", "/unanswered", "ada", "\"k\"", "body"), 409, "under way");
    cr_assert_eq(svc_test_store_age(svc_test_store(payments_app), 400000), 0);
    expect_reply(send_to("POST", "/unanswered", "ada", "\"k\"", "body"), 409, "under way");
    cr_assert_eq(svc_test_store_age(svc_test_store(payments_app), 300000), 0);
    expect_reply(send_to("POST", "/unanswered", "ada", "\"k\"", "body"), 201, "second time");
    cr_expect_eq(handled, 2);
    svc_pending_unref(unanswered);
}

/* ---- Answers that are not kept */

Test(idempotency, an_answer_that_asks_to_come_again_frees_the_key)
{
    static const int statuses[] = {500, 503, 429, 408, 425, SVC_ENOMEM};
    open_default();
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        next_status = statuses[i];
        svc_reply_free(post("ada", "\"k\"", "body"));
        cr_expect_eq(handled, (int)i + 1, "%d", statuses[i]);
    }
    next_status = 201;
    expect_reply(post("ada", "\"k\"", "Body"), 201, "payment 7");
    expect_reply(post("ada", "\"k\"", "Body"), 201, "payment 7");
}

Test(idempotency, errors_of_the_client_are_kept)
{
    open_default();
    next_status = 404;
    expect_reply(post("ada", "\"k\"", "body"), 404, "payment 1");
    expect_reply(post("ada", "\"k\"", "body"), 404, "payment 1");
}

Test(idempotency, errors_of_the_handler_may_be_kept)
{
    svc_idempotency keys = by_authorization();
    keys.flags = SVC_IDEMPOTENCY_KEEP_5XX;
    add_payments(&keys);
    next_status = 502;
    expect_reply(post("ada", "\"k\"", "body"), 502, "payment 1");
    expect_reply(post("ada", "\"k\"", "body"), 502, "payment 1");
    next_status = SVC_ENOMEM;
    svc_reply_free(post("ada", "\"l\"", "body"));
    svc_reply_free(post("ada", "\"l\"", "body"));
    cr_expect_eq(handled, 3, "an answer that the library gives is not the handler's");
}

static int refused_before;

static int refuse_first(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    if (refused_before++)
        return SVC_PASS;
    int error = svc_response_problem(res, 403, "an inner layer says no");
    return error ? error : SVC_ANSWERED;
}

Test(idempotency, the_answer_of_an_inner_layer_is_not_kept)
{
    static svc_middleware inner = SVC_MIDDLEWARE_INIT;
    inner.name = "inner";
    inner.on_request = refuse_first;
    svc_idempotency keys = by_authorization();
    svc_app_use(payments_app, svc_idempotency_new(payments_app, &keys));
    svc_app_use(payments_app, &inner);
    svc_app_post(payments_app, "/payments", pay, NULL);
    expect_reply(post("ada", "\"k\"", "body"), 403, "inner layer");
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
}

/* ---- Ids */

static char ids[2][80];

static int note_id(svc_request *req, svc_response *res)
{
    const char *id = svc_idempotency_id(req);
    snprintf(ids[handled++ % 2], sizeof ids[0], "%s", id ? id : "none");
    return svc_response_empty(res, 503);
}

Test(idempotency, an_operation_has_one_id_however_often_it_runs)
{
    open_default();
    svc_group_post(payments_group, "/id", note_id, NULL);
    for (int i = 0; i < 2; i++)
        svc_reply_free(send_to("POST", "/id", "ada", "\"k\"", "body"));
    cr_expect_eq(strlen(ids[0]), 64);
    cr_expect_str_eq(ids[0], ids[1]);
    svc_reply_free(send_to("POST", "/id", "bob", "\"k\"", "body"));
    cr_expect_str_neq(ids[0], ids[1]);
    svc_reply_free(send_to("POST", "/id", "bob", NULL, "body"));
    cr_expect_str_eq(ids[1], "none");
    cr_expect_null(svc_idempotency_id(NULL));
}

/* ---- Set-up */

static void expect_mistake(svc_idempotency keys, const char *report)
{
    cr_expect_null(svc_idempotency_new(payments_app, &keys));
    cr_expect(strstr(svc_app_errors(payments_app), report), "\"%s\" is not in %s", report,
              svc_app_errors(payments_app));
    svc_app_free(payments_app);
    open_payments();
}

Test(idempotency, a_bad_option_fails_the_start)
{
    svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
    expect_mistake(keys, "SVC_IDEMPOTENCY_SHARED is set");
    keys.flags = SVC_IDEMPOTENCY_SHARED;
    keys.header = "Authorization";
    expect_mistake(keys, "SVC_IDEMPOTENCY_SHARED is set");
    keys = by_authorization();
    keys.flags = 1;
    expect_mistake(keys, "0x1");
    keys = by_authorization();
    keys.header = "a b";
    expect_mistake(keys, "\"a b\" cannot be");
    keys = by_authorization();
    keys.ttl_ms = 999;
    expect_mistake(keys, "ttl_ms");
    keys.ttl_ms = SVC_STORE_TTL_MS + 1;
    expect_mistake(keys, "ttl_ms");
    keys = by_authorization();
    keys.grace_ms = 3600001;
    expect_mistake(keys, "grace_ms");
    keys = by_authorization();
    keys.max_answer = 255;
    expect_mistake(keys, "max_answer");
}

Test(idempotency, a_route_that_streams_its_body_cannot_have_it)
{
    svc_idempotency keys = by_authorization();
    svc_app_use(payments_app, svc_idempotency_new(payments_app, &keys));
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "POST /stream";
    route.handler = pay;
    route.flags = SVC_STREAM_BODY;
    svc_app_route(payments_app, &route);
    cr_expect_null(svc_app_test_get(payments_app, "/stream"));
    cr_expect_not_null(strstr(svc_app_errors(payments_app), "idempotency"));
}
