/* The options of the response cache. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/api/origin.h"

Test(response_cache_options, stores_no_body_over_the_ceiling)
{
    svc_response_cache_options options = SVC_RESPONSE_CACHE_OPTIONS_INIT;
    options.max_body_bytes = 8;
    options.name = "edge";
    origin_make(&options);
    origin_reply_with(CC, "max-age=60", NULL);
    for (int streams = 0; streams < 2; streams++) {
        origin.streams = streams;
        origin.body = "the body";
        origin_expect_runs(1);
        origin.body = "the body.";
        origin_expect_runs(2);
    }
    origin_expect_status(origin_ask(NULL, NULL), "edge; fwd=uri-miss");
    origin_end();
}

/* The inner request waits for the reply of the request in whose handler it is made, for as long as
 * it may. */
Test(response_cache_options, waits_no_longer_than_it_may)
{
    svc_response_cache_options options = SVC_RESPONSE_CACHE_OPTIONS_INIT;
    options.max_wait_ms = 20;
    origin_make(&options);
    origin_reply_with(CC, "max-age=60", NULL);
    origin.waits = true;
    ORIGIN_EXPECT(origin_ask(NULL, NULL), 200, "the body");
    ORIGIN_EXPECT(origin_inner, 200, "the body");
    cr_expect_eq(origin.runs, 2);
    origin_end();
}

Test(response_cache_options, refuses_bad_options)
{
    for (int i = 0; i < 9; i++) {
        svc_response_cache_options options = SVC_RESPONSE_CACHE_OPTIONS_INIT;
        options.size = i == 0 ? 3 : options.size;
        options.name = i == 1 ? "a b" : i == 2 ? NULL : options.name;
        options.bytes = i == 3 ? 1000 : i == 4 ? UINT64_MAX : options.bytes;
        options.max_body_bytes = i == 5 ? 0 : i == 6 ? options.bytes / 16 : options.max_body_bytes;
        options.max_wait_ms = i == 7 ? 0 : options.max_wait_ms;
        options.heuristic_s = i == 8 ? UINT64_MAX : options.heuristic_s;
        svc_app *made = svc_app_new("bad");
        cr_expect_null(svc_response_cache_new(made, &options), "%d", i);
        cr_expect(strstr(svc_app_errors(made), "svc_response_cache_new"), "%d", i);
        svc_app_free(made);
    }
}

Test(response_cache_options, accepts_null)
{
    cr_expect_null(svc_response_cache_layer(NULL));
    cr_expect_eq(svc_response_cache_purge(NULL, NULL, "/"), SVC_ENOMEM);
    cr_expect_eq(svc_response_cache_purge_tag(NULL, NULL, "a"), SVC_ENOMEM);
    cr_expect_eq(svc_response_cache_purge_all(NULL, NULL), SVC_ENOMEM);
    cr_expect_eq(svc_response_cache_tag(NULL, "a"), SVC_ENOMEM);
    cr_expect_eq(svc_response_cache_add_admin(NULL), SVC_ENOMEM);
}
