/* Ids of requests: which of those that come are kept, and what is made in place of others. */
#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/mw/stack.h"
#include "tests/support/hand.h"

static void open_plan(void)
{
    hand_open();
    hand_plant(hand.plan);
}

TestSuite(mw_request_id, .init = open_plan, .fini = hand_close);

/* An exchange that has been through the layer, whose request brings `id`; NULL: none. */
static struct exchange *take_id(const char *id)
{
    const svc_layer layer = {NULL, NULL};
    struct exchange *x = hand_begin(hand.plan, "GET", "/",
                                    (const char *const[]){id ? "x-request-id" : NULL, id, NULL});
    cr_assert_eq(svc__request_id_make(NULL)->on_request(&x->request, &x->response, &layer),
                 SVC_PASS);
    cr_assert_eq(svc__request_id_make(NULL)->on_response(&x->request, &x->response, &layer), 0);
    return x;
}

static bool is_hex(const char *id)
{
    return strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32;
}

Test(mw_request_id, an_id_that_is_safe_everywhere_is_kept_and_sent_back)
{
    char longest[129];
    memset(longest, 'z', sizeof longest);
    longest[128] = '\0';
    const char *const good[] = {"a", "A-Z_a.z09", "-", longest};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct exchange *x = take_id(good[i]);
        cr_expect_str_eq(svc_request_id(&x->request), good[i]);
        cr_expect_str_eq(svc_response_header(&x->response, "X-Request-Id"), good[i]);
        hand_end(x);
    }
}

Test(mw_request_id, any_other_is_replaced_as_a_whole)
{
    char too_long[130];
    memset(too_long, 'z', sizeof too_long);
    too_long[129] = '\0';
    const char *const bad[] = {NULL,  "",    "a b", "a\"b", "a/b",  "a:b",      "a;b",   "{a}",
                               "a,b", "a`b", "a@b", "a[b",  "a\tb", "\xc3\xa9", too_long};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct exchange *x = take_id(bad[i]);
        cr_expect(is_hex(svc_request_id(&x->request)), "%s", svc_request_id(&x->request));
        cr_expect_str_eq(svc_response_header(&x->response, "X-Request-Id"),
                         svc_request_id(&x->request));
        hand_end(x);
    }
}

Test(mw_request_id, ids_that_are_made_differ)
{
    struct exchange *one = take_id(NULL), *two = take_id(NULL);
    cr_expect_str_neq(svc_request_id(&one->request), svc_request_id(&two->request));
    hand_end(one);
    hand_end(two);
}

Test(mw_request_id, is_the_trace_s_where_that_begins_and_not_where_it_goes_on)
{
    for (int origin = TRACE_NONE; origin <= TRACE_CONTINUED; origin++) {
        const svc_layer layer = {NULL, NULL};
        struct exchange *x = hand_begin(hand.plan, "GET", "/", NULL);
        x->request.trace.origin = (enum trace_origin)origin;
        memset(&x->request.trace.own, 0xab, sizeof x->request.trace.own);
        svc__request_id_make(NULL)->on_request(&x->request, &x->response, &layer);
        const char *id = svc_request_id(&x->request);
        cr_expect(is_hex(id));
        cr_expect_eq(!strcmp(id, "abababababababababababababababab"), origin == TRACE_BEGUN);
        hand_end(x);
    }
}

Test(mw_request_id, without_memory_there_is_none_and_the_request_goes_on)
{
    const svc_layer layer = {NULL, NULL};
    struct exchange *x = hand_begin(hand.plan, "GET", "/", NULL);
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__request_id_make(NULL)->on_request(&x->request, &x->response, &layer),
                 SVC_PASS);
    cr_expect_str_eq(svc_request_id(&x->request), "");
    cr_expect_eq(svc__request_id_make(NULL)->on_response(&x->request, &x->response, &layer), 0);
    cr_expect_eq(svc_response_header_count(&x->response), 0);
    hand_end(x);
}
