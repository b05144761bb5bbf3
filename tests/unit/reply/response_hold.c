/* A source before a source: what is read first is kept, and nothing of it is lost or doubled. */
#include "libsvc/reply/response_hold.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc/stream.h>

#include "libsvc/exchange/response_internal.h"
#include "tests/support/hand.h"

/* What a source says in turn: bytes of `text`, or a code. */
struct script {
    const char *text;
    int64_t results[8]; /* of each read: a code, 0, or how many bytes at most */
    size_t at, reads, closes;
};

static struct exchange *x;
static svc_response *res;
static struct script script;
static char text[5000];

static int64_t read_script(void *state, char *data, size_t len)
{
    struct script *told = state;
    int64_t result = told->results[told->reads++];
    if (result <= 0)
        return result;
    size_t n = (size_t)result < len ? (size_t)result : len;
    memcpy(data, told->text + told->at, n);
    told->at += n;
    return (int64_t)n;
}

static void close_script(void *state)
{
    ((struct script *)state)->closes++;
}

static void answer_with(void (*close)(void *state))
{
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_script;
    source.close = close;
    source.state = &script;
    cr_assert_eq(svc_response_source(res, 200, "text/plain", &source), 0);
}

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    res = &x->response;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    script = (struct script){.text = text};
    answer_with(close_script);
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(reply_response_hold, .init = open_exchange, .fini = close_exchange);

static int64_t read_body(char *data, size_t len)
{
    return res->body.source.read(res->body.source.state, data, len);
}

/* Sets what the source says in turn, and has it held. */
#define SAY(...)                                                                                   \
    do {                                                                                           \
        memcpy(script.results, (int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}));        \
        cr_assert_eq(svc__response_hold_begin(res), 0);                                            \
    } while (0)

Test(reply_response_hold, is_for_bodies_that_somebody_makes_yet)
{
    cr_expect_not(svc__response_hold_wanted(res));
    cr_expect_eq(svc_response_hold_head(NULL), SVC_ENOMEM);
    cr_assert_eq(svc_response_hold_head(res), 0);
    cr_expect(svc__response_hold_wanted(res));
    cr_assert_eq(svc_response_text(res, 200, "whole"), 0);
    cr_expect_not(svc__response_hold_wanted(res));
    answer_with(NULL);
    cr_expect(svc__response_hold_wanted(res), "it was asked for");
    svc__response_reset(res);
    cr_expect_not(svc__response_hold_wanted(res));
}

Test(reply_response_hold, the_first_read_only_keeps_what_there_is)
{
    char data[64];
    SAY(5, 3, 0);
    cr_expect_eq(read_body(NULL, 0), 5);
    cr_expect_eq(script.reads, 1);
    cr_expect_eq(read_body(data, 2), 2);
    cr_expect_eq(read_body(data + 2, 2), 2);
    cr_expect_eq(read_body(data + 4, 60), 1, "of what is kept, and no more");
    cr_expect_eq(script.reads, 1);
    cr_expect_eq(read_body(data + 5, 59), 3);
    cr_expect_eq(read_body(data, 64), 0);
    cr_expect_eq(memcmp(data, text, 8), 0);
}

Test(reply_response_hold, the_first_read_is_of_as_much_as_can_be_kept)
{
    char data[sizeof text];
    SAY(5000, 5000, 0);
    int64_t first = read_body(NULL, 0);
    cr_assert_gt(first, 0);
    cr_assert_lt(first, 5000);
    cr_expect_eq(read_body(data, sizeof data), first);
    cr_expect_eq(read_body(data + first, sizeof data - (size_t)first), 5000 - first);
    cr_expect_eq(memcmp(data, text, sizeof text), 0);
}

Test(reply_response_hold, what_has_nothing_yet_is_asked_again)
{
    char data[8];
    SAY(SVC_EAGAIN, SVC_EAGAIN, 4, SVC_EAGAIN, 0);
    cr_expect_eq(read_body(NULL, 0), SVC_EAGAIN);
    cr_expect_eq(read_body(NULL, 0), SVC_EAGAIN);
    cr_expect_eq(read_body(NULL, 0), 4);
    cr_expect_eq(read_body(data, 8), 4);
    cr_expect_eq(read_body(data, 8), SVC_EAGAIN, "also behind what was kept");
    cr_expect_eq(read_body(data, 8), 0);
}

Test(reply_response_hold, an_end_at_once_is_not_read_twice)
{
    char data[8];
    SAY(0, 5);
    cr_expect_eq(read_body(NULL, 0), 0);
    cr_expect_eq(read_body(data, 8), 0);
    cr_expect_eq(read_body(data, 8), 0);
    cr_expect_eq(script.reads, 1);
}

Test(reply_response_hold, a_failure_passes_before_and_behind_what_was_kept)
{
    char data[8];
    SAY(SVC_ESYSTEM, 3, SVC_ELATE);
    cr_expect_eq(read_body(NULL, 0), SVC_ESYSTEM);
    cr_expect_eq(read_body(NULL, 0), 3);
    cr_expect_eq(read_body(data, 8), 3);
    cr_expect_eq(read_body(data, 8), SVC_ELATE);
}

static int64_t lie(void *state, char *data, size_t len)
{
    (void)state, (void)data;
    return (int64_t)len + 1;
}

Test(reply_response_hold, a_source_that_says_more_than_it_was_asked_for_is_not_believed)
{
    res->body.source.read = lie;
    cr_assert_eq(svc__response_hold_begin(res), 0);
    cr_expect_eq(read_body(NULL, 0), SVC_EINVAL);
}

Test(reply_response_hold, the_source_is_closed_once_behind_it)
{
    cr_assert_eq(svc__response_hold_begin(res), 0);
    svc__response_drop_body(res);
    cr_expect_eq(script.closes, 1);
    answer_with(NULL);
    cr_assert_eq(svc__response_hold_begin(res), 0);
    svc__response_drop_body(res);
    cr_expect_eq(script.closes, 1, "that one needs none");
}

Test(reply_response_hold, without_memory_the_source_stays_as_it_was)
{
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__response_hold_begin(res), SVC_ENOMEM);
    cr_expect_eq(res->body.source.read, read_script);
    cr_expect_eq(res->body.source.state, &script);
}
