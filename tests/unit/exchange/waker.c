/* Waking an exchange: once for each arming, and never one that is gone. */
#include "libsvc/exchange/waker.h"

#include <criterion/criterion.h>

#include "libsvc/exchange/away.h"
#include "tests/support/hand.h"
#include "tests/support/starve.h"

static struct exchange *x;
static struct waker waker;

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    waker.x = x;
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_waker, .init = open_exchange, .fini = close_exchange);

/* How often the home was woken, all news of which it takes. */
static unsigned take_wakes(void)
{
    unsigned wakes = hand.wakes;
    if (wakes)
        svc__away_news(x);
    hand.wakes = 0;
    return wakes;
}

Test(exchange_waker, fires_once_for_each_arming)
{
    svc__waker_fire(&waker);
    cr_expect_eq(take_wakes(), 0);
    svc__waker_arm(&waker);
    svc__waker_arm(&waker);
    cr_expect_eq(hand.home.away, 1, "it is armed once");
    svc__waker_fire(&waker);
    svc__waker_fire(&waker);
    cr_expect_eq(take_wakes(), 1);
    cr_expect_eq(hand.home.away, 0);
    svc__waker_arm(&waker);
    svc__waker_fire(&waker);
    cr_expect_eq(take_wakes(), 1);
}

Test(exchange_waker, holds_the_exchange_while_it_is_armed)
{
    svc__waker_arm(&waker);
    cr_expect_eq(x->refs, 2);
    svc__waker_disarm(&waker);
    cr_expect_eq(x->refs, 1);
    svc__waker_disarm(&waker);
    cr_expect_eq(x->refs, 1);
    svc__waker_fire(&waker);
    cr_expect_eq(take_wakes(), 0);
}

/* The news is on its way by then, and its hold with it. */
Test(exchange_waker, is_armed_anew_before_its_news_is_taken)
{
    svc__waker_arm(&waker);
    svc__waker_fire(&waker);
    svc__waker_arm(&waker);
    svc__waker_fire(&waker);
    cr_expect_eq(hand.home.away, 2);
    cr_expect_eq(take_wakes(), 1);
    cr_expect_eq(hand.home.away, 0);
    cr_expect_eq(x->refs, 1);
}

/* ---- Of a response */

Test(exchange_waker, a_response_has_one_however_often_it_is_asked_for)
{
    cr_expect_eq(svc_response_waker(NULL), NULL);
    svc_waker *first = svc_response_waker(&x->response), *second = svc_response_waker(&x->response);
    cr_assert(first);
    cr_expect_eq(first, second);
    cr_expect_eq(svc_waker_ref(first), first);
    cr_expect_eq(svc_waker_ref(NULL), NULL);
    for (int i = 0; i < 3; i++) {
        cr_expect(svc__waker_is_held(first));
        svc_waker_unref(first);
    }
    cr_expect_not(svc__waker_is_held(x->response.waker));
    cr_expect_not(svc__waker_is_held(NULL));
    svc_waker_unref(NULL);
    svc_waker_wake(NULL);
}

Test(exchange_waker, the_last_holder_that_leaves_has_the_source_read_once_more)
{
    svc_waker *held = svc_response_waker(&x->response);
    svc__waker_bind(held, x);
    svc_waker_ref(held);
    svc__waker_arm(&held->waker);
    svc_waker_unref(held);
    cr_expect_eq(take_wakes(), 0, "another may wake it");
    svc_waker_unref(held);
    cr_expect_eq(take_wakes(), 1);
}

Test(exchange_waker, outlives_the_exchange)
{
    svc_waker *held = svc_response_waker(&x->response);
    svc__waker_bind(held, x);
    svc__exchange_unref(x);
    svc_waker_wake(held);
    svc_waker_unref(held);
    x = NULL;
    cr_expect_eq(hand.wakes, 0);
}

Test(exchange_waker, is_bound_to_the_first_whose_body_is_read)
{
    svc_waker *held = svc_response_waker(&x->response);
    struct exchange *other = hand_exchange();
    svc__waker_bind(held, other);
    svc__waker_bind(held, x);
    cr_expect_eq(held->waker.x, other);
    svc_waker_unref(held);
    svc__exchange_unref(other);
}

Test(exchange_waker, without_memory_there_is_none)
{
    starve_after(0);
    cr_expect_eq(svc_response_waker(&x->response), NULL);
    cr_expect(starve_end());
    hand_exhaust(&x->arena);
    cr_expect_eq(svc_response_waker(&x->response), NULL, "nobody would free it");
    cr_expect_eq(x->response.waker, NULL);
}
