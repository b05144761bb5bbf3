/* Purges of the response cache, by requests, by calls and by its admin route. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/api/origin.h"

TestSuite(purges, .init = origin_begin, .fini = origin_end);

Test(purges, is_invalidated_by_writes)
{
    static const struct {
        const char *target, *name, *value;
        int status, runs;
    } rows[] = {
        {"/thing", NULL, NULL, 200, 2},
        {"/thing", NULL, NULL, 303, 2},
        {"/thing", NULL, NULL, 404, 1},
        {"/thing", NULL, NULL, 500, 1},
        {"/other", NULL, NULL, 200, 1},
        {"/other", "Location", "/thing", 201, 2},
        {"/other", "Content-Location", "/thing", 200, 2},
        {"/other", "Content-Location", "http://test/thing#part", 200, 2},
        {"/other", "Location", "http://elsewhere/thing", 201, 1},
        {"/other", "Location", "//elsewhere/thing", 201, 1},
        {"/other", "Location", "http://testing/thing", 201, 1},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_response_cache_purge_all(origin_cache, NULL);
        origin.status = 200;
        origin_reply_with(CC, "max-age=60", NULL);
        ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
        origin.status = rows[i].status;
        origin_reply_with(rows[i].name, rows[i].value, NULL);
        svc_reply_free(origin_ask_as("POST", rows[i].target, NULL));
        origin.status = 200;
        origin.runs = 1;
        ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
        cr_expect_eq(origin.runs, rows[i].runs, "row %zu", i);
    }
}

Test(purges, is_purged_by_tag_and_target)
{
    origin_reply_with(CC, "max-age=60", "Cache-Tag", "one, two", "Surrogate-Key", "three four",
                      NULL);
    static const char *const tags[] = {"one", "two", "three", "four", "five"};
    for (size_t i = 0; i < ROWS(tags); i++) {
        svc_reply *reply = origin_ask(NULL, NULL);
        cr_expect_null(svc_reply_header(reply, "Cache-Tag"));
        cr_expect_null(svc_reply_header(reply, "Surrogate-Key"));
        svc_reply_free(reply);
        origin.runs = 0;
        cr_expect_eq(svc_response_cache_purge_tag(origin_cache, NULL, tags[i]), 0);
        ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
        cr_expect_eq(origin.runs, i < 4, "%s", tags[i]);
    }
    origin.runs = 0;
    cr_expect_eq(svc_response_cache_purge(origin_cache, NULL, "/thing?"), 0);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_eq(origin.runs, 0);
    cr_expect_eq(svc_response_cache_purge(origin_cache, NULL, "/thing"), 0);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    cr_expect_eq(origin.runs, 1);
    cr_expect_eq(svc_test_metric(origin_app, "svc_response_cache_purged_total"), 5);
}

Test(purges, checks_tags_and_targets)
{
    svc_response *res = svc_response_new();
    cr_expect_eq(svc_response_cache_tag(res, "product-17"), 0);
    cr_expect_eq(svc_response_cache_tag(res, "category-2"), 0);
    cr_expect_str_eq(svc_response_header(res, "Cache-Tag"), "product-17");
    static const char *const bad[] = {"", "a b", "a,b", "a\nb", "\xc3\xbc", NULL};
    for (size_t i = 0; i < ROWS(bad); i++) {
        cr_expect_eq(svc_response_cache_tag(res, bad[i]), SVC_EINVAL);
        cr_expect_eq(svc_response_cache_purge_tag(origin_cache, NULL, bad[i]), SVC_EINVAL);
        cr_expect_eq(svc_response_cache_purge(origin_cache, NULL, bad[i]), SVC_EINVAL);
    }
    svc_response_free(res);
}

Test(purges, stores_no_reply_that_is_purged_while_it_is_made)
{
    origin_reply_with(CC, "max-age=60", NULL);
    for (int streams = 0; streams < 2; streams++) {
        svc_response_cache_purge_all(origin_cache, NULL);
        origin.streams = streams;
        origin.purges = true;
        ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
        origin.purges = false;
        origin_expect_status(origin_ask(NULL, NULL),
                             streams ? "libsvc; fwd=uri-miss" : "libsvc; fwd=uri-miss; stored");
    }
}

/* ---- The admin route */

#define PURGE "/debug/response-cache/libsvc/purge"

static int ask_admin(const char *method, const char *target, const char *name, const char *value)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = (const char *const[]){name, value, NULL};
    svc_reply *reply = svc_app_test(svc_app_admin(origin_app), &test);
    cr_assert(reply, "%s", svc_app_errors(origin_app));
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

Test(purges, are_made_by_the_admin_route)
{
    static const struct {
        const char *method, *target, *name;
        int status, runs;
    } rows[] = {
        {"POST", PURGE "?tag=one", NULL, 204, 1},
        {"POST", PURGE "?tag=three&tag=two", NULL, 204, 1},
        {"POST", PURGE "?tag=three", NULL, 204, 0},
        {"POST", PURGE "?target=/thing", NULL, 204, 1},
        {"POST", PURGE "?target=%2Fthing", NULL, 204, 1},
        {"POST", PURGE "?target=/other", NULL, 204, 0},
        {"POST", PURGE "?all", NULL, 204, 1},
        {"POST", PURGE, NULL, 400, 0},
        {"POST", PURGE "?tags=one", NULL, 400, 0},
        {"POST", PURGE "?tag=a%20b", NULL, 400, 0},
        {"POST", PURGE "?target=thing", NULL, 400, 0},
        {"POST", PURGE "?tag=one&tag=", NULL, 400, 1},
        {"POST", PURGE "?all", "Origin", 403, 0},
        {"GET", PURGE "?all", NULL, 405, 0},
        {"POST", "/debug/response-cache/other/purge?all", NULL, 404, 0},
    };
    origin_reply_with(CC, "max-age=60", "Cache-Tag", "one, two", NULL);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    for (size_t i = 0; i < ROWS(rows); i++) {
        int status = ask_admin(rows[i].method, rows[i].target, rows[i].name, "http://a.example");
        cr_expect_eq(status, rows[i].status, "row %zu: %d", i, status);
        origin.runs = 0;
        ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
        cr_expect_eq(origin.runs, rows[i].runs, "row %zu: %d runs", i, origin.runs);
    }
}

static void configure_admin(bool pages, const char *token_file)
{
    svc_config config = SVC_CONFIG_INIT;
    config.log_output = "/dev/null";
    config.debug_pages = pages;
    config.admin_token_file = token_file;
    cr_assert_eq(svc_app_configure(origin_app, &config), 0);
}

Test(purges, need_the_token_of_the_admin_listener)
{
    char path[] = "/tmp/response_cache_token_XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, "0123456789abcdef", 16) == 16);
    close(fd);
    configure_admin(true, path);
    cr_expect_eq(ask_admin("POST", PURGE "?all", NULL, NULL), 401);
    cr_expect_eq(ask_admin("POST", PURGE "?all", "Authorization", "Bearer 0123456789abcdef"), 204);
    unlink(path);
}

Test(purges, are_not_made_while_debug_pages_are_off)
{
    configure_admin(false, "");
    cr_expect_eq(ask_admin("POST", PURGE "?all", NULL, NULL), 404);
}
