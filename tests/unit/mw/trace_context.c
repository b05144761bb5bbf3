/* Where traces go on, and where they begin. */
#include <criterion/criterion.h>
#include <string.h>

#include <svc/trace.h>

#include "libsvc/mw/stack.h"
#include "tests/support/hand.h"

#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN_ID "00f067aa0ba902b7"
#define PARENT "00-" TRACE_ID "-" SPAN_ID "-01"

static void open_plan(void)
{
    hand_open();
    hand.config.trace_trust = true;
    hand_plant(hand.plan);
}

TestSuite(mw_trace_context, .init = open_plan, .fini = hand_close);

static struct exchange *take_trace(const char *const *fields)
{
    const svc_layer layer = {NULL, NULL};
    struct exchange *x = hand_begin(hand.plan, "GET", "/", fields);
    cr_assert_eq(svc__trace_context_make(NULL)->on_request(&x->request, &x->response, &layer),
                 SVC_PASS);
    return x;
}

static bool is_zero(const char *id)
{
    return strspn(id, "0") == strlen(id);
}

Test(mw_trace_context, a_trace_that_comes_goes_on_by_a_span_of_its_own)
{
    struct exchange *x = take_trace((const char *const[]){"traceparent", PARENT, NULL});
    const svc_request *req = &x->request;
    cr_expect_str_eq(svc_request_trace_id(req), TRACE_ID);
    cr_expect_str_eq(svc_request_parent_id(req), SPAN_ID);
    cr_expect_str_neq(svc_request_span_id(req), SPAN_ID);
    cr_expect_not(is_zero(svc_request_span_id(req)));
    cr_expect(svc_request_sampled(req));
    hand_end(x);
}

/* And none of what it brings is kept. */
static void expect_begun(const char *const *fields)
{
    struct exchange *x = take_trace(fields);
    const svc_request *req = &x->request;
    cr_expect_eq(req->trace.origin, TRACE_BEGUN);
    cr_expect_str_neq(svc_request_trace_id(req), TRACE_ID);
    cr_expect_str_neq(svc_request_span_id(req), SPAN_ID);
    cr_expect_not(is_zero(svc_request_trace_id(req)) || is_zero(svc_request_span_id(req)));
    cr_expect_str_eq(svc_request_parent_id(req), "");
    cr_expect_not(svc_request_sampled(req), "that is nobody else's to decide");
    hand_end(x);
}

Test(mw_trace_context, begins_where_none_comes_that_can_be_read)
{
    expect_begun(NULL);
    expect_begun((const char *const[]){"traceparent", "", NULL});
    expect_begun((const char *const[]){"traceparent", PARENT "-", NULL});
    expect_begun((const char *const[]){"traceparent",
                                       "00-00000000000000000000000000000000-" SPAN_ID "-01", NULL});
}

Test(mw_trace_context, begins_where_it_is_not_clear_which_trace_it_is)
{
    expect_begun((const char *const[]){"traceparent", PARENT, "Traceparent", PARENT, NULL});
}

Test(mw_trace_context, begins_where_callers_are_not_trusted)
{
    hand.config.trace_trust = false;
    expect_begun((const char *const[]){"traceparent", PARENT, NULL});
}

Test(mw_trace_context, two_requests_of_a_trace_are_two_spans)
{
    const char *const fields[] = {"traceparent", PARENT, NULL};
    struct exchange *one = take_trace(fields), *two = take_trace(fields);
    cr_expect_str_eq(svc_request_trace_id(&one->request), svc_request_trace_id(&two->request));
    cr_expect_str_neq(svc_request_span_id(&one->request), svc_request_span_id(&two->request));
    hand_end(one);
    hand_end(two);
}
