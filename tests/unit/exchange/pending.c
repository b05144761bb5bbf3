/* Answers that come later: which call wins, who is told, and who has the answer then. */
#include "libsvc/exchange/pending.h"

#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/exchange/away.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/response_trailers.h"
#include "libsvc/exchange/waker.h"
#include "tests/support/hand.h"
#include "tests/support/starve.h"

static struct exchange *x;
static unsigned cancels, releases;
static char arg;

static void note_cancel(svc_pending *pending, void *given)
{
    cr_expect_eq(pending, x->away.pending);
    cr_expect_eq(given, &arg);
    cancels++;
}

static void note_release(void *data)
{
    (void)data;
    releases++;
}

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    x->handling = true;
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_pending, .init = open_exchange, .fini = close_exchange);

static svc_pending *defer(void)
{
    svc_pending *pending = svc_request_defer(&x->request, note_cancel, &arg);
    cr_assert(pending);
    return pending;
}

/* An answer whose release is counted. */
static svc_response *make_answer(void)
{
    svc_response *answer = svc_response_new();
    cr_assert(answer);
    cr_assert_eq(svc_response_take(answer, 201, "a/b", "later", 5, note_release), 0);
    return answer;
}

/* Ends the test's reference, and what its home has of that. */
static void end_pending(svc_pending *pending)
{
    svc_pending_unref(pending);
    svc__away_news(x);
    cr_expect_eq(hand.home.away, 0);
}

/* ---- Deferring */

Test(exchange_pending, is_for_a_handler_and_once)
{
    x->handling = false;
    cr_expect_eq(svc_request_defer(&x->request, NULL, NULL), NULL);
    x->handling = true;
    svc_pending *pending = defer();
    cr_expect_eq(svc_request_defer(&x->request, NULL, NULL), NULL);
    cr_expect_eq(svc_pending_request(pending), &x->request);
    cr_expect_eq(hand.home.away, 1);
    end_pending(pending);
    cr_expect_eq(svc_request_defer(&x->request, NULL, NULL), NULL, "also when it is over");
}

Test(exchange_pending, without_memory_nothing_is_deferred)
{
    hand_exhaust(&x->arena);
    cr_expect_eq(svc_request_defer(&x->request, note_cancel, &arg), NULL);
    cr_expect_eq(x->away.pending, NULL);
    cr_expect_eq(hand.home.away, 0);
    cr_expect_eq(x->refs, 1);
}

Test(exchange_pending, calls_accept_none)
{
    svc__pending_cancel(NULL);
    svc__pending_close(NULL);
    svc_pending_unref(NULL);
    svc_response_free(NULL);
    cr_expect_eq(svc__pending_take(NULL), NULL);
    cr_expect(svc__pending_expire(NULL), "there is no answer to wait for");
    cr_expect_eq(svc_pending_ref(NULL), NULL);
    cr_expect_eq(svc_pending_request(NULL), NULL);
    cr_expect_eq(svc_pending_complete(NULL, make_answer()), SVC_ENOMEM);
    cr_expect_eq(releases, 1, "the answer is taken");
}

Test(exchange_pending, its_last_reference_tells_that_nobody_will_answer)
{
    svc_pending *pending = defer();
    cr_expect_eq(svc_pending_ref(pending), pending);
    svc_pending_unref(pending);
    cr_expect_eq(hand.wakes, 0);
    svc_pending_unref(pending);
    cr_expect_eq(hand.wakes, 1);
    cr_expect_eq(x->away.news, NEWS_DROPPED);
    svc__pending_cancel(pending);
    cr_expect_eq(cancels, 0, "there is nobody to be told");
    svc__away_news(x);
}

/* ---- Answering */

Test(exchange_pending, the_first_answer_wins_and_the_others_are_freed)
{
    svc_pending *pending = defer();
    svc_response *answer = make_answer();
    cr_expect_eq(svc_pending_complete(pending, NULL), SVC_EINVAL);
    cr_expect_eq(svc_pending_complete(pending, answer), 0);
    cr_expect_eq(svc_pending_complete(pending, make_answer()), SVC_ELATE);
    cr_expect_eq(releases, 1);
    cr_expect_eq(x->away.news, NEWS_ANSWER);
    cr_expect_eq(svc__pending_take(pending), answer);
    cr_expect_eq(svc__pending_take(pending), NULL, "it is the caller's");
    svc_response_free(answer);
    end_pending(pending);
}

Test(exchange_pending, what_says_nothing_is_an_answer_too)
{
    svc_pending *pending = defer();
    svc_response *answer = svc_response_new();
    cr_expect_eq(svc_pending_complete(pending, answer), SVC_EINVAL);
    cr_expect_eq(svc_pending_complete(pending, make_answer()), SVC_ELATE);
    cr_expect_eq(x->away.news, NEWS_ANSWER, "the client is to get its 500");
    svc__pending_close(pending);
    end_pending(pending);
}

Test(exchange_pending, who_asks_for_the_answer_before_there_is_one_takes_none_any_more)
{
    svc_pending *pending = defer();
    cr_expect_eq(svc__pending_take(pending), NULL);
    cr_expect_eq(svc_pending_complete(pending, make_answer()), SVC_ELATE);
    cr_expect_eq(releases, 1);
    cr_expect_eq(hand.wakes, 0);
    end_pending(pending);
}

Test(exchange_pending, an_answer_that_came_before_the_deadline_is_waited_for)
{
    svc_pending *pending = defer();
    svc_pending_complete(pending, make_answer());
    cr_expect_not(svc__pending_expire(pending));
    cr_expect_not(svc__pending_expire(pending), "however often it is asked");
    svc_response *answer = svc__pending_take(pending);
    cr_assert(answer);
    svc_response_free(answer);
    end_pending(pending);
}

Test(exchange_pending, an_answer_behind_the_deadline_is_late)
{
    svc_pending *pending = defer();
    cr_expect(svc__pending_expire(pending));
    cr_expect_eq(svc_pending_complete(pending, make_answer()), SVC_ELATE);
    cr_expect(svc__pending_expire(pending));
    end_pending(pending);
    cr_expect_eq(releases, 1);
}

Test(exchange_pending, closing_frees_an_answer_that_nobody_took)
{
    svc_pending *pending = defer();
    svc_pending_complete(pending, make_answer());
    svc__pending_close(pending);
    cr_expect_eq(releases, 1);
    svc__pending_close(pending);
    cr_expect_eq(svc_pending_complete(pending, make_answer()), SVC_ELATE);
    end_pending(pending);
}

/* ---- Being told */

Test(exchange_pending, is_cancelled_once_and_not_behind_an_answer)
{
    svc_pending *pending = defer();
    svc__pending_cancel(pending);
    svc__pending_cancel(pending);
    cr_expect_eq(cancels, 1);
    end_pending(pending);
}

Test(exchange_pending, who_has_answered_is_not_told)
{
    svc_pending *pending = defer();
    svc_pending_complete(pending, make_answer());
    svc__pending_cancel(pending);
    cr_expect_eq(cancels, 0);
    svc__pending_close(pending);
    end_pending(pending);
}

static void answer_at_once(svc_pending *pending, void *given)
{
    (void)given;
    cancels++;
    cr_expect_eq(svc_pending_complete(pending, make_answer()), 0);
    svc_pending_unref(pending);
}

Test(exchange_pending, who_is_told_may_answer_and_leave_within_the_call)
{
    svc_pending *pending = svc_request_defer(&x->request, answer_at_once, NULL);
    cr_assert(pending);
    svc__pending_cancel(pending);
    cr_expect_eq(cancels, 1);
    cr_expect_eq(x->away.news, NEWS_ANSWER | NEWS_DROPPED);
    svc__pending_close(pending);
    cr_expect_eq(releases, 1);
    svc__away_news(x);
}

/* ---- Adopting */

static svc_response *reply;

static void expect_header(size_t at, const char *name, const char *value)
{
    const char *actual_name, *actual_value;
    cr_assert_eq(svc_response_header_at(reply, at, &actual_name, &actual_value), 0);
    cr_expect_str_eq(actual_name, name);
    cr_expect_str_eq(actual_value, value);
}

Test(exchange_pending, an_answer_is_adopted_with_its_body_and_the_fields_of_both)
{
    reply = &x->response;
    svc_response_text(reply, 200, "the handler's");
    svc_response_set_header(reply, "X-Own", "1");
    svc_response_set_header(reply, "X-Both", "handler");
    svc_response *answer = make_answer();
    svc_response_add_header(answer, "x-both", "one");
    svc_response_add_header(answer, "x-both", "two");
    svc_response_set_length(answer, 77);
    answer->cached_errors = true;
    cr_assert_eq(svc__pending_adopt(x, answer), 0);
    cr_expect_eq(svc_response_header_count(reply), 4);
    expect_header(0, "X-Own", "1");
    expect_header(1, "Content-Type", "a/b");
    expect_header(2, "x-both", "one");
    expect_header(3, "x-both", "two");
    cr_expect_eq(reply->status, 201);
    cr_expect_eq(reply->length, 77);
    cr_expect(reply->cached_errors);
    size_t len;
    cr_expect(svc__bytes_eq_z(svc__bytes(svc_response_body(reply, &len), 5), "later"));
    cr_expect_eq(len, 5);
    cr_expect_eq(releases, 0);
    svc__exchange_unref(x);
    cr_expect_eq(releases, 1, "once, though two have had it");
    x = NULL;
}

Test(exchange_pending, what_said_to_caches_stays_said)
{
    svc_response *answer = make_answer();
    x->response.cached_errors = true;
    cr_assert_eq(svc__pending_adopt(x, answer), 0);
    cr_expect(x->response.cached_errors);
}

Test(exchange_pending, an_answer_with_too_many_fields_is_taken_and_the_reply_stays)
{
    reply = &x->response;
    svc_response_text(reply, 200, "the handler's");
    svc_response *answer = make_answer();
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(svc_response_add_header(reply, "X-Own", "1"), 0);
        cr_assert_eq(svc_response_add_header(answer, "X-Other", "1"), 0);
    }
    cr_expect_eq(svc__pending_adopt(x, answer), SVC_ETOOBIG);
    cr_expect_eq(reply->status, 200);
    cr_expect_eq(reply->body.kind, REPLY_MEMORY);
    cr_expect_eq(svc_response_header_count(reply), 101);
    svc__exchange_unref(x);
    cr_expect_eq(releases, 1);
    x = NULL;
}

static char asked[8];

static int ask(svc_trailers *out, void *name)
{
    (void)out;
    strcat(asked, name);
    return 0;
}

Test(exchange_pending, trailers_of_both_are_asked_for_the_handler_s_first)
{
    svc_response_on_trailers(&x->response, ask, (char[]){"a"});
    svc_response *answer = make_answer();
    svc_response_on_trailers(answer, ask, (char[]){"b"});
    cr_assert_eq(svc__pending_adopt(x, answer), 0);
    cr_expect(svc__response_trailers_ask(x));
    cr_expect_str_eq(asked, "ab");
}

static int64_t read_nothing(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return SVC_EAGAIN;
}

Test(exchange_pending, the_waker_of_an_adopted_source_wakes_the_exchange)
{
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_nothing;
    svc_response *answer = svc_response_new();
    svc_waker *waker = svc_response_waker(answer);
    cr_assert_eq(svc_response_source(answer, 200, NULL, &source), 0);
    cr_assert_eq(svc__pending_adopt(x, answer), 0);
    cr_expect_eq(x->response.waker, waker);
    svc__waker_bind(waker, x);
    svc__waker_arm(&waker->waker);
    svc_waker_wake(waker);
    cr_expect_eq(hand.wakes, 1);
    svc__away_news(x);
    svc__exchange_unref(x);
    svc_waker_wake(waker); /* it may outlive both */
    svc_waker_unref(waker);
    x = NULL;
}

/* ---- Responses of their own */

Test(exchange_pending, a_response_of_its_own_needs_memory_and_gives_it_back)
{
    starve_after(0);
    cr_expect_eq(svc_response_new(), NULL);
    cr_expect(starve_end());
    svc_response_free(make_answer());
    cr_expect_eq(releases, 1);
}

Test(exchange_pending, its_errors_are_json_and_its_renderings_its_own)
{
    svc_response *answer = svc_response_new();
    cr_assert_eq(svc_response_problem(answer, 404, "no such thing"), 0);
    cr_expect_str_eq(svc_response_header(answer, "Content-Type"), "application/problem+json");
    cr_expect_eq(hand.home.scratch.cap, 0, "the home's buffer is another thread's");
    svc_response_free(answer);
}
