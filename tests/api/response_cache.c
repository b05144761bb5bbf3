/* Replies that the response cache stores, and answers from them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/api/origin.h"

TestSuite(response_cache, .init = origin_begin, .fini = origin_end);

Test(response_cache, answers_from_a_fresh_reply)
{
    origin_reply_with(CC, "max-age=60", "X-Thing", "1", "ETag", "\"a\"", NULL);
    svc_reply *first = origin_ask(NULL, NULL), *second = origin_ask(NULL, NULL);
    cr_expect_eq(origin.runs, 1);
    cr_expect_str_eq(origin_field(first, "Cache-Status"), "libsvc; fwd=uri-miss; stored");
    cr_expect_null(svc_reply_header(first, "Age"));
    cr_expect_str_eq(origin_field(second, "Cache-Status"), "libsvc; hit; ttl=60");
    cr_expect_str_eq(origin_field(second, "Age"), "0");
    cr_expect_str_eq(origin_field(second, "X-Thing"), "1");
    cr_expect_str_eq(origin_field(second, "Content-Type"), "text/plain");
    cr_expect(svc_reply_header(second, "Date"));
    cr_expect_str_eq(svc_reply_body(second, NULL), "the body");
    cr_expect_str_neq(origin_field(first, "X-Request-Id"), origin_field(second, "X-Request-Id"));
    svc_reply_free(first);
    svc_reply_free(second);
}

Test(response_cache, stores_what_the_rules_allow)
{
    static const struct {
        const char *name, *value;
        int status, runs;
    } rows[] = {
        {CC, "max-age=60", 200, 1},
        {CC, "max-age=60", 404, 1},
        {CC, "max-age=60", 503, 1},
        {CC, "max-age=60", 299, 2},
        {CC, "max-age=60, private", 200, 2},
        {CC, "max-age=60, no-store", 200, 2},
        {CC, "no-cache", 200, 2},
        {"Set-Cookie", "a=b", 200, 2},
        {"Expires", "0", 200, 2},
        {"X-Nothing", "1", 200, 2},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        origin.status = rows[i].status;
        origin_reply_with(rows[i].name, rows[i].value, NULL);
        origin_expect_runs(rows[i].runs);
    }
    origin.status = 0;
    origin_reply_with(CC, "max-age=60", "Set-Cookie", "a=b", NULL);
    origin_expect_runs(2);
    origin_reply_with(CC, "max-age=60", "Vary", "*", NULL);
    origin_expect_runs(2);
}

Test(response_cache, uses_no_stale_reply)
{
    origin_reply_with(CC, "max-age=60", NULL);
    origin.age = 60;
    origin_expect_runs(2);
    origin.age = 50;
    origin_expect_runs(1);
    svc_reply *reply = origin_ask(NULL, NULL);
    cr_expect_str_eq(origin_field(reply, "Age"), "50");
    origin_expect_status(reply, "libsvc; hit; ttl=10");
}

Test(response_cache, tells_hosts_and_queries_apart)
{
    origin_reply_with(CC, "max-age=60", NULL);
    static const char *const targets[] = {"/thing", "/thing?", "/thing?a=1", "/thing?a=2"};
    for (size_t i = 0; i < ROWS(targets); i++)
        for (int j = 0; j < 2; j++)
            ORIGIN_EXPECT(origin_ask_as("GET", targets[i], NULL), 200, "the body");
    cr_expect_eq(origin.runs, 4);
    ORIGIN_EXPECT(origin_ask("Host", "one.example"), 200, "the body");
    ORIGIN_EXPECT(origin_ask("Host", "ONE.example"), 200, "the body");
    ORIGIN_EXPECT(origin_ask("Host", "two.example"), 200, "the body");
    cr_expect_eq(origin.runs, 6);
}

Test(response_cache, selects_by_vary)
{
    origin_reply_with(CC, "max-age=60", "Vary", "Accept-Language", NULL);
    ORIGIN_EXPECT(origin_ask("Accept-Language", "de, en"), 200, "the body");
    ORIGIN_EXPECT(origin_ask("Accept-Language", "DE,en"), 200, "the body");
    cr_expect_eq(origin.runs, 1);
    origin_expect_status(origin_ask("Accept-Language", "fr"), "libsvc; fwd=vary-miss; stored");
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_eq(origin.runs, 3);
    ORIGIN_EXPECT(origin_ask("Accept-Language", "fr"), 200, "the body");
    ORIGIN_EXPECT(origin_ask("Accept-Language", "de,en"), 200, "the body");
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_eq(origin.runs, 3);
}

Test(response_cache, hears_the_directives_of_requests)
{
    static const struct {
        const char *wish;
        int status, runs; /* of the second request */
    } rows[] = {
        {"no-cache", 200, 2},   {"max-age=0", 200, 2},      {"max-age=30", 200, 2},
        {"max-age=50", 200, 1}, {"min-fresh=10", 200, 1},   {"min-fresh=11", 200, 2},
        {"no-store", 200, 1},   {"only-if-cached", 200, 1}, {"only-if-cached, no-cache", 504, 1},
    };
    origin_reply_with(CC, "max-age=60", NULL);
    origin.age = 50;
    for (size_t i = 0; i < ROWS(rows); i++) {
        origin.runs = 0;
        svc_response_cache_purge_all(origin_cache, NULL);
        ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
        svc_reply *reply = origin_ask(CC, rows[i].wish);
        cr_expect_eq(svc_reply_status(reply), rows[i].status, "%s", rows[i].wish);
        cr_expect_eq(origin.runs, rows[i].runs, "%s", rows[i].wish);
        svc_reply_free(reply);
    }
    svc_response_cache_purge_all(origin_cache, NULL);
    origin.runs = 0;
    origin_expect_status(origin_ask(CC, "no-store"), "libsvc; fwd=uri-miss");
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_eq(origin.runs, 2);
}

Test(response_cache, passes_requests_with_authorization_by)
{
    origin_reply_with(CC, "max-age=60", NULL);
    ORIGIN_EXPECT(origin_ask("Authorization", "a"), 200, "the body");
    ORIGIN_EXPECT(origin_ask("Authorization", "a"), 200, "the body");
    cr_expect_eq(origin.runs, 2);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    origin_expect_status(origin_ask("Authorization", "a"), "libsvc; fwd=bypass");
    cr_expect_eq(origin.runs, 4);
    origin_reply_with(CC, "max-age=60, public", NULL);
    svc_response_cache_purge_all(origin_cache, NULL);
    ORIGIN_EXPECT(origin_ask("Authorization", "a"), 200, "the body");
    ORIGIN_EXPECT(origin_ask("Authorization", "b"), 200, "the body");
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_eq(origin.runs, 5);
}

Test(response_cache, leaves_the_fields_of_outer_layers_to_them)
{
    static const char *const values[] = {"1", "2", NULL};
    origin_reply_with(CC, "max-age=60", "X-Thing", "1", NULL);
    for (size_t i = 0; i < ROWS(values); i++) {
        origin.outer = values[i];
        svc_reply *reply = origin_ask(NULL, NULL);
        cr_expect_str_eq(origin_field(reply, "X-Outer"), values[i] ? values[i] : "");
        cr_expect_str_eq(origin_field(reply, "X-Thing"), "1");
        cr_expect_str_eq(origin_field(reply, "Age"), i ? "0" : "");
        origin_expect_status(reply, i ? "libsvc; hit; ttl=60" : "libsvc; fwd=uri-miss; stored");
    }
    cr_expect_eq(origin.runs, 1);
}

Test(response_cache, answers_head_by_a_stored_get)
{
    origin_reply_with(CC, "max-age=60", NULL);
    ORIGIN_EXPECT(origin_ask_as("HEAD", "/thing", NULL), 200, "");
    cr_expect_eq(origin.runs, 1);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_eq(origin.runs, 2);
    svc_reply *reply = origin_ask_as("HEAD", "/thing", NULL);
    cr_expect_str_eq(origin_field(reply, "Content-Length"), "8");
    origin_expect_status(reply, "libsvc; hit; ttl=60");
    cr_expect_eq(origin.runs, 2);
}

Test(response_cache, answers_conditions_from_a_stored_reply)
{
    origin_reply_with(CC, "max-age=60", "ETag", "\"a\"", "Last-Modified",
                      "Sun, 06 Nov 1994 08:49:37 GMT", NULL);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    svc_reply *reply = origin_ask("If-None-Match", "\"b\", \"a\"");
    cr_expect_str_eq(origin_field(reply, "ETag"), "\"a\"");
    cr_expect_str_eq(origin_field(reply, "Cache-Status"), "libsvc; hit; ttl=60");
    ORIGIN_EXPECT(reply, 304, "");
    ORIGIN_EXPECT(origin_ask("If-None-Match", "\"b\""), 200, "the body");
    ORIGIN_EXPECT(origin_ask("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"), 304, "");
    ORIGIN_EXPECT(origin_ask("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"), 200,
                  "the body");
    svc_reply *failed = origin_ask("If-Match", "\"b\"");
    cr_expect_eq(svc_reply_status(failed), 412);
    svc_reply_free(failed);
    ORIGIN_EXPECT(
        origin_ask_as("HEAD", "/thing", (const char *const[]){"If-None-Match", "\"a\"", NULL}), 304,
        "");
    cr_expect_eq(origin.runs, 1);
}

Test(response_cache, answers_ranges_from_a_stored_reply)
{
    origin_reply_with(CC, "max-age=60", "ETag", "\"a\"", NULL);
    ORIGIN_EXPECT(origin_ask("Range", "bytes=4-5"), 206,
                  "bo"); /* of the handler's, which is stored */
    svc_reply *part = origin_ask("Range", "bytes=4-5");
    cr_expect_str_eq(origin_field(part, "Content-Range"), "bytes 4-5/8");
    cr_expect_str_eq(origin_field(part, "Content-Length"), "2");
    ORIGIN_EXPECT(part, 206, "bo");
    ORIGIN_EXPECT(origin_ask("Range", "bytes=-3"), 206, "ody");
    ORIGIN_EXPECT(origin_ask("Range", "bytes=0-1,2-4"), 206, "the b");
    ORIGIN_EXPECT(origin_ask("Range", "lines=0-1"), 200, "the body");
    svc_reply *none = origin_ask("Range", "bytes=8-");
    cr_expect_eq(svc_reply_status(none), 416);
    cr_expect_str_eq(origin_field(none, "Content-Range"), "bytes */8");
    svc_reply_free(none);
    ORIGIN_EXPECT(
        origin_ask_as("GET", "/thing",
                      (const char *const[]){"Range", "bytes=0-0", "If-Range", "\"a\"", NULL}),
        206, "t");
    ORIGIN_EXPECT(
        origin_ask_as("GET", "/thing",
                      (const char *const[]){"Range", "bytes=0-0", "If-Range", "\"b\"", NULL}),
        200, "the body");
    ORIGIN_EXPECT(
        origin_ask_as("GET", "/thing",
                      (const char *const[]){"Range", "bytes=0-0", "If-None-Match", "\"a\"", NULL}),
        304, "");
    ORIGIN_EXPECT(
        origin_ask_as("HEAD", "/thing", (const char *const[]){"Range", "bytes=0-0", NULL}), 200,
        "");
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_eq(origin.runs, 1);
}

Test(response_cache, stores_streams_once_they_are_whole)
{
    origin_reply_with(CC, "max-age=60", NULL);
    origin.streams = true;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    svc_reply *reply = origin_ask(NULL, NULL);
    cr_expect_str_eq(origin_field(reply, "Content-Length"), "8");
    ORIGIN_EXPECT(reply, 200, "the body");
    cr_expect_eq(origin.runs, 1);
    svc_response_cache_purge_all(origin_cache, NULL);
    origin.fails = true;
    for (int i = 0; i < 2; i++) {
        reply = origin_ask(NULL, NULL);
        cr_expect_eq(svc_reply_outcome(reply), SVC_CUT);
        svc_reply_free(reply);
    }
    cr_expect_eq(origin.runs, 3);
}

Test(response_cache, stores_files)
{
    char path[] = "/tmp/response_cache_XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, "the file", 8) == 8);
    close(fd);
    origin.file = path;
    origin_reply_with(CC, "max-age=60", NULL);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the file");
    unlink(path);
    svc_reply *reply = origin_ask(NULL, NULL);
    cr_expect(svc_reply_header(reply, "Last-Modified"));
    ORIGIN_EXPECT(reply, 200, "the file");
    cr_expect_eq(origin.runs, 1);
}

Test(response_cache, stores_no_reply_with_trailers)
{
    origin_reply_with(CC, "max-age=60", NULL);
    origin.trails = true;
    origin_expect_runs(2);
}

Test(response_cache, counts_results)
{
    origin_reply_with(CC, "max-age=60", NULL);
    for (int i = 0; i < 3; i++)
        ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    ORIGIN_EXPECT(origin_ask(CC, "no-cache"), 200, "the body");
    svc_reply_free(
        origin_ask_as("GET", "/other", (const char *const[]){CC, "only-if-cached", NULL}));
    cr_expect_eq(svc_test_metric(origin_app, "svc_response_cache_requests_total{result=\"hit\"}"),
                 2);
    cr_expect_eq(svc_test_metric(origin_app, "svc_response_cache_requests_total{result=\"miss\"}"),
                 1);
    cr_expect_eq(
        svc_test_metric(origin_app, "svc_response_cache_requests_total{result=\"bypass\"}"), 1);
    cr_expect_eq(
        svc_test_metric(origin_app, "svc_response_cache_requests_total{result=\"only_if_cached\"}"),
        1);
    cr_expect_eq(svc_test_metric(origin_app, "svc_response_cache_stored_total"), 2);
    cr_expect_eq(svc_test_metric(origin_app, "svc_response_cache_replies"), 1);
    cr_expect_gt(svc_test_metric(origin_app, "svc_response_cache_bytes"), 0);
}
