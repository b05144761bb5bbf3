/* Fields behind a reply's body: who is asked for them, and what is sent where one fails. */
#include "libsvc/exchange/response_trailers.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/hand.h"

static struct exchange *x;
static svc_response *res;
static char asked[16];

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    res = &x->response;
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_response_trailers, .init = open_exchange, .fini = close_exchange);

/* Adds a trailer whose value is the letter. */
static int add_letter(svc_trailers *out, void *letter)
{
    strcat(asked, letter);
    return svc_trailers_add(out, "X-Letter", letter);
}

static int add_bad(svc_trailers *out, void *name)
{
    return svc_trailers_add(out, name, "1");
}

static int say_more(svc_trailers *out, void *arg)
{
    (void)out, (void)arg;
    return 1; /* no failure */
}

static char a[] = "a", b[] = "b";

Test(exchange_response_trailers, all_are_asked_in_order_for_one_list)
{
    const char *name, *value;
    cr_assert_eq(svc_response_on_trailers(res, add_letter, a), 0);
    cr_assert_eq(svc_response_on_trailers(res, say_more, NULL), 0);
    cr_assert_eq(svc_response_on_trailers(res, add_letter, b), 0);
    const svc_response *list = svc__response_trailers_ask(x);
    cr_assert(list);
    cr_expect_str_eq(asked, "ab");
    cr_assert_eq(svc_response_header_count(list), 2);
    cr_expect_eq(svc_response_header_at(list, 1, &name, &value), 0);
    cr_expect_str_eq(value, "b");
    cr_expect_eq(svc_response_header_count(res), 0, "they are none of the head's");
}

Test(exchange_response_trailers, what_may_not_be_a_trailer_cuts_the_reply_and_is_logged)
{
    static char names[][24] = {"Content-Length", "Host", "Set Cookie", "", "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        res->on_trailers = NULL;
        svc_response_on_trailers(res, add_bad, names[i]);
        svc_response_on_trailers(res, add_letter, a);
        cr_expect_eq(svc__response_trailers_ask(x), NULL, "%s", names[i]);
        cr_expect_str_eq(asked, "", "the others are not asked");
        cr_expect_eq(hand.logged, i + 1);
    }
    cr_expect_str_eq(hand.last_logged, "response cannot be ended");
    cr_expect_eq(svc_trailers_add(NULL, "X-A", "1"), SVC_ENOMEM);
}

Test(exchange_response_trailers, calls_without_a_function_or_a_response_are_refused)
{
    cr_expect_eq(svc_response_on_trailers(NULL, add_letter, a), SVC_ENOMEM);
    cr_expect_eq(svc_response_on_trailers(res, NULL, a), SVC_EINVAL);
    hand_exhaust(&x->arena);
    cr_expect_eq(svc_response_on_trailers(res, add_letter, a), SVC_ENOMEM);
    cr_expect_eq(res->on_trailers, NULL);
}

Test(exchange_response_trailers, those_of_another_response_come_behind)
{
    struct exchange *other = hand_exchange();
    svc_response_on_trailers(res, add_letter, a);
    svc_response_on_trailers(&other->response, add_letter, b);
    svc__response_trailers_move(res, &other->response);
    cr_expect_eq(other->response.on_trailers, NULL);
    cr_expect(svc__response_trailers_ask(x));
    cr_expect_str_eq(asked, "ab");
    svc__response_trailers_move(res, &other->response);
    cr_expect(svc__response_trailers_ask(x));
    cr_expect_str_eq(asked, "abab", "of none there are none");
    res->on_trailers = NULL;
    svc__exchange_unref(other);
}

Test(exchange_response_trailers, a_client_that_cannot_take_them_gets_none)
{
    svc_response_text(res, 200, "the body");
    svc_response_on_trailers(res, add_letter, a);
    cr_expect(svc__exchange_reply_trails(x));
    x->framing.chunks = false; /* HTTP/1.0 */
    cr_expect_not(svc__exchange_reply_trails(x));
    cr_expect_eq(svc__exchange_reply_length(x), 8);
    x->framing.chunks = true;
    x->request.method = svc__bytes_z("HEAD");
    cr_expect_not(svc__exchange_reply_trails(x));
}

Test(exchange_response_trailers, without_memory_there_are_none)
{
    svc_response_text(res, 200, "the body");
    svc_response_on_trailers(res, add_letter, a);
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__response_trailers_ask(x), NULL);
}
