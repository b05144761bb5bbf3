/* Stale replies of the response cache: their validation, and their use. */
#include <criterion/criterion.h>

#include "tests/api/origin.h"

TestSuite(stale_replies, .init = origin_begin, .fini = origin_end);

Test(stale_replies, serves_stale_replies_to_who_accepts_them)
{
    origin_reply_with(CC, "max-age=60", NULL);
    origin.age = 70;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    svc_reply *reply =
        origin_ask(NULL, NULL); /* without a validator, such a reply is not worth its memory */
    svc_reply_free(reply);
    cr_expect_eq(origin.runs, 2);
    origin_reply_with(CC, "max-age=60", "ETag", "\"a\"", NULL);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    origin_expect_status(origin_ask(CC, "max-stale=20"), "libsvc; hit; ttl=-10");
    cr_expect_eq(origin.runs, 3);
    ORIGIN_EXPECT(origin_ask(CC, "max-stale=5"), 200, "the body");
    cr_expect_eq(origin.runs, 4);
}

Test(stale_replies, validates_by_the_stored_tag)
{
    origin_reply_with(CC, "max-age=60", "X-Thing", "1", NULL);
    origin.checks = true;
    origin.age = 60;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_str_eq(origin.if_none_match, "");
    origin.age = 0;
    origin.body = "another body";
    origin_reply_with(CC, "max-age=30", "X-Other", "2", NULL);
    svc_reply *reply = origin_ask("If-None-Match", "\"of the client\"");
    cr_expect_str_eq(origin.if_none_match, "\"1\"");
    cr_expect_str_eq(origin_field(reply, "X-Thing"), "1");
    cr_expect_str_eq(origin_field(reply, "X-Other"), "2");
    cr_expect_str_eq(origin_field(reply, "ETag"), "\"1\"");
    cr_expect_str_eq(origin_field(reply, "Content-Type"), "text/plain");
    cr_expect_str_eq(origin_field(reply, "Cache-Status"),
                     "libsvc; fwd=stale; fwd-status=304; stored");
    ORIGIN_EXPECT(reply, 200, "the body");
    reply = origin_ask("If-None-Match", "\"1\"");
    cr_expect_str_eq(origin_field(reply, "Cache-Control"), "max-age=30");
    cr_expect_str_eq(origin_field(reply, "Cache-Status"), "libsvc; hit; ttl=30");
    ORIGIN_EXPECT(reply, 304, "");
    cr_expect_eq(origin.runs, 2);
}

Test(stale_replies, gives_the_client_its_304_after_a_validation)
{
    origin_reply_with(CC, "max-age=60", NULL);
    origin.checks = true;
    origin.age = 60;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    ORIGIN_EXPECT(origin_ask("If-None-Match", "\"1\""), 304, "");
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_eq(origin.runs, 3);
}

Test(stale_replies, serves_stale_while_one_request_validates)
{
    origin_reply_with(CC, "max-age=60, stale-while-revalidate=30", NULL);
    origin.age = 70;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    origin.waits = true;
    origin.runs = 0;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body"); /* validates, and asks meanwhile */
    cr_expect_str_eq(origin_field(origin_inner, "Cache-Status"), "libsvc; hit; ttl=-10");
    svc_reply_free(origin_inner);
    cr_expect_eq(origin.runs, 1);
}

Test(stale_replies, serves_stale_if_the_service_fails)
{
    origin_reply_with(CC, "max-age=60, stale-if-error=30", NULL);
    origin.age = 70;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    origin.status = 503;
    svc_reply *reply = origin_ask(NULL, NULL);
    cr_expect_str_eq(origin_field(reply, "Cache-Status"),
                     "libsvc; fwd=stale; detail=stale-if-error; fwd-status=503");
    ORIGIN_EXPECT(reply, 200, "the body");
    origin.error = SVC_ESYSTEM;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    svc_reply *refused = origin_ask(CC, "no-cache");
    cr_expect_eq(svc_reply_status(refused), 500);
    svc_reply_free(refused);
    cr_expect_eq(origin.runs, 4);
}

Test(stale_replies, serves_no_stale_reply_that_must_be_validated)
{
    origin_reply_with(CC, "max-age=60, stale-if-error=30, must-revalidate", "ETag", "\"1\"", NULL);
    origin.age = 70;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    origin.status = 503;
    ORIGIN_EXPECT(origin_ask(CC, "max-stale, stale-if-error=100"), 503, "the body");
}
