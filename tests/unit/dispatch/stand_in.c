/* Exchanges that stand in for others: what they have of them, and what those that are given up are
 * told. */
#include "libsvc/dispatch/stand_in.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc/pending.h>
#include <svc/pipe.h>
#include <svc/stream.h>

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/away.h"
#include "libsvc/exchange/waker.h"
#include "tests/support/hand.h"
#include "tests/support/starve.h"

static char calls[128];
static unsigned cancels;
static svc_pending *pending;

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    strcat(strcat(calls, layer->arg), "> ");
    *(char *)layer->state = *(const char *)layer->arg;
    return SVC_PASS;
}

static int on_body(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)req, (void)res, (void)layer, (void)piece;
    return SVC_PASS;
}

static int on_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    strcat(strcat(calls, layer->arg), "< ");
    cr_expect_eq(*(char *)layer->state, *(const char *)layer->arg, "it has its state still");
    return 0;
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    (void)req, (void)res;
    static const char *const outcomes[] = {"! ", "!gone ", "!late ", "!cut "};
    strcat(strcat(calls, layer->arg), outcomes[done->outcome]);
}

static const svc_middleware plain = {.size = sizeof plain,
                                     .name = "plain",
                                     .state_size = 1,
                                     .arg = "a",
                                     .on_request = on_request,
                                     .on_response = on_response,
                                     .on_done = on_done},
                            pieces = {.size = sizeof pieces,
                                      .name = "pieces",
                                      .flags = SVC_BODY_PIECES,
                                      .state_size = 1,
                                      .arg = "b",
                                      .on_request = on_request,
                                      .on_body = on_body,
                                      .on_response = on_response,
                                      .on_done = on_done};

static void note_cancel(svc_pending *cancelled, void *arg)
{
    (void)arg;
    cr_expect_eq(cancelled, pending);
    cr_expect(svc_request_cancelled(svc_pending_request(cancelled)));
    cancels++;
}

static int answer_later(svc_request *req, svc_response *res)
{
    (void)res;
    pending = svc_request_defer(req, note_cancel, NULL);
    return pending ? 0 : SVC_ENOMEM;
}

static svc_waker *waker;

static int64_t read_nothing(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return SVC_EAGAIN;
}

static void close_source(void *state)
{
    (void)state;
    svc_waker_unref(waker);
    waker = NULL;
}

static int answer_by_source(svc_request *req, svc_response *res)
{
    (void)req;
    waker = svc_response_waker(res);
    svc_response_hold_head(res);
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_nothing;
    source.close = close_source;
    return svc_response_source(res, 200, "a/b", &source);
}

static void add_route(const char *pattern, svc_handler *handler, unsigned flags)
{
    struct route *route = hand_route(hand.plan, hand.plan->apps, pattern, handler);
    route->flags = flags;
    hand_layer(hand.plan, &route->chain, &plain);
    hand_layer(hand.plan, &route->chain, &pieces);
}

static void open_plan(void)
{
    hand_open();
    add_route("POST /later/{id}", answer_later, 0);
    add_route("POST /stream", answer_later, SVC_STREAM_BODY);
    add_route("POST /held", answer_by_source, 0);
    hand_plant(hand.plan);
}

TestSuite(dispatch_stand_in, .init = open_plan, .fini = hand_close);

static const char *const two_bytes[] = {"Content-Length", "2", "X-A", "1", NULL};

/* An exchange whose handler has deferred its answer. */
static struct exchange *begin_deferred(void)
{
    struct exchange *x = hand_begin(hand.plan, "POST", "/later/a%20b?c=d", two_bytes);
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_BODY);
    cr_assert_eq(svc__dispatch_body(x, "ab", 2), EXCHANGE_BODY);
    cr_assert_eq(svc__dispatch_body_end(x), EXCHANGE_WAIT);
    cr_assert(pending);
    *calls = '\0';
    return x;
}

/* Ends the test's reference to an answer that is wanted no more. */
static void drop_pending(struct exchange *given_up)
{
    svc_pending_unref(pending);
    svc__away_news(given_up);
    cr_expect_eq(hand.news, 0, "it is nobody's");
}

Test(dispatch_stand_in, one_that_is_at_home_needs_none)
{
    struct exchange *x = hand_begin(hand.plan, "POST", "/later/1", two_bytes);
    cr_expect_eq(svc__stand_in_reclaim(x, SVC_TIMED_OUT), x);
    cr_expect_eq(x->away.given_up, SVC_COMPLETE);
    hand_end(x);
}

Test(dispatch_stand_in, has_the_request_and_the_layers_that_were_not_lent)
{
    struct exchange *x = begin_deferred();
    static const svc_key key = {"key"};
    static char value;
    cr_assert_eq(svc_request_set(&x->request, &key, &value), 0);
    struct exchange *stand_in = svc__stand_in_reclaim(x, SVC_TIMED_OUT);
    cr_assert(stand_in && stand_in != x);
    svc_request *req = &stand_in->request;
    cr_expect_eq(req->route, x->request.route);
    cr_expect_str_eq(svc_request_method(req), "POST");
    cr_expect_str_eq(svc_request_target(req), "/later/a%20b?c=d");
    cr_expect_str_eq(svc_request_param(req, "id"), "a b");
    cr_expect_str_eq(svc_request_query(req, "c"), "d");
    cr_expect_str_eq(svc_request_header(req, "x-a"), "1");
    cr_expect_str_eq(svc_request_scheme(req), "http");
    cr_expect_eq(svc_request_get(req, &key), NULL, "that came when others had it");
    cr_expect_eq(req->bytes_in, 2);
    cr_expect_eq(req->deadline_ns, x->request.deadline_ns);
    cr_expect_eq(req->started_ns, x->request.started_ns);
    cr_expect_eq(stand_in->transport, &hand.transport);
    cr_expect_eq(x->transport, NULL);
    cr_expect_eq(stand_in->passed, 2);
    cr_expect_eq(svc_request_peer(req)[0], '\0');
    hand_end(stand_in);
    cr_expect_str_eq(calls, "b! a! ", "of the stand-in");
    drop_pending(x);
    cr_expect_str_eq(calls, "b! a! ", "and of no other");
}

Test(dispatch_stand_in, answers_through_the_layers_with_their_state)
{
    struct exchange *x = begin_deferred(), *given_up = x;
    x = svc__dispatch_refuse(x, 504, "too long", SVC_TIMED_OUT);
    cr_assert(x && x != given_up);
    cr_expect_eq(x->response.status, 504);
    hand_end(x);
    cr_expect_str_eq(calls, "b< a< b! a! ");
    drop_pending(given_up);
}

Test(dispatch_stand_in, who_has_the_other_is_told_once_and_too_late_with_its_answer)
{
    struct exchange *x = begin_deferred();
    struct exchange *stand_in = svc__stand_in_reclaim(x, SVC_CLIENT_GONE);
    cr_assert(stand_in);
    cr_expect_eq(cancels, 1);
    cr_expect_eq(x->away.given_up, SVC_CLIENT_GONE);
    cr_expect(svc_request_cancelled(svc_pending_request(pending)));
    svc_response *answer = svc_response_new();
    svc_response_text(answer, 200, "late");
    cr_expect_eq(svc_pending_complete(pending, answer), SVC_ELATE);
    hand_end(stand_in);
    cr_expect_str_eq(svc_request_target(svc_pending_request(pending)), "/later/a%20b?c=d",
                     "it is there as long as somebody has it");
    drop_pending(x);
}

Test(dispatch_stand_in, the_memory_of_the_other_lasts_as_long_as_it)
{
    struct exchange *x = begin_deferred();
    struct exchange *stand_in = svc__stand_in_reclaim(x, SVC_TIMED_OUT);
    cr_assert(stand_in);
    drop_pending(x);
    cr_expect_str_eq(svc_request_target(&stand_in->request), "/later/a%20b?c=d");
    cr_expect_str_eq(svc_request_header(&stand_in->request, "X-A"), "1");
    hand_end(stand_in);
}

/* The layers from the first that sees pieces on are with who reads the body. */
Test(dispatch_stand_in, layers_that_are_lent_end_with_who_has_them)
{
    struct exchange *x = hand_begin(hand.plan, "POST", "/stream", two_bytes);
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_BODY);
    cr_assert(pending);
    *calls = '\0';
    struct exchange *stand_in = svc__dispatch_refuse(x, 408, "too long", SVC_TIMED_OUT);
    cr_assert(stand_in && stand_in != x);
    hand_end(stand_in);
    cr_expect_str_eq(calls, "a< a! ");
    char data[4];
    cr_expect_eq(svc_request_try_read(svc_pending_request(pending), data, 4), SVC_ECANCELLED);
    drop_pending(x);
    cr_expect_str_eq(calls, "a< a! b!late ");
}

Test(dispatch_stand_in, without_memory_all_layers_end_with_the_one_that_is_given_up)
{
    struct exchange *x = begin_deferred();
    starve_after(0);
    cr_expect_eq(svc__stand_in_reclaim(x, SVC_CUT), NULL);
    cr_expect(starve_end());
    cr_expect_eq(cancels, 1, "who has it is told all the same");
    cr_expect_eq(x->transport, NULL);
    cr_expect_str_eq(calls, "");
    drop_pending(x);
    cr_expect_str_eq(calls, "b!cut a!cut ");
}

/* Nobody but its waker would hold it, and who has that may never wake it. */
Test(dispatch_stand_in, one_that_waits_for_its_first_byte_does_not_wait_for_its_waker)
{
    struct exchange *x = hand_begin(hand.plan, "POST", "/held", NULL);
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_WAIT);
    cr_expect_eq(x->held, &x->response);
    cr_expect_eq(hand.home.away, 1);
    *calls = '\0';
    struct exchange *stand_in = svc__dispatch_refuse(x, 504, "too long", SVC_TIMED_OUT);
    cr_assert(stand_in && stand_in != x);
    cr_expect_eq(hand.home.away, 0);
    hand_end(stand_in);
    cr_expect_eq(waker, NULL, "the source is closed");
    cr_expect_str_eq(calls, "b< a< b! a! ");
}
