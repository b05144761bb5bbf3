/* Replies that are read from pipes: who has which reference, and who writes when. */
#include "libsvc/reply/response_pipe.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc/pipe.h>

#include "libsvc/exchange/away.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/waker.h"
#include "libsvc/run/workers.h"
#include "tests/support/hand.h"
#include "tests/support/starve.h"
#include "tests/unit/run/threads.h"

static struct exchange *x;
static svc_response *res;
static svc_pipe *pipe; /* the test's own reference */
static char arg;
static int written; /* what the writer returns */
static _Atomic unsigned writes;

static void open_exchange(void)
{
    hand_open();
    hand_open_workers(4);
    x = hand_exchange();
    res = &x->response;
    pipe = svc_pipe_new(0);
    cr_assert(pipe);
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    svc_pipe_unref(pipe);
    hand_close_workers();
    hand_close();
}

TestSuite(reply_response_pipe, .init = open_exchange, .fini = close_exchange);

static void expect_cancelled(void)
{
    cr_expect_eq(svc_pipe_try_write(pipe, "a", 1), SVC_ECANCELLED);
}

static int64_t read_body(char *data, size_t len)
{
    return res->body.source.read(res->body.source.state, data, len);
}

/* ---- Pipes of others */

Test(reply_response_pipe, is_taken_also_where_it_fails)
{
    cr_expect_eq(svc_response_pipe(res, 200, "a/b", NULL), SVC_ENOMEM);
    cr_expect_eq(svc_response_pipe(NULL, 200, "a/b", svc_pipe_ref(pipe)), SVC_ENOMEM);
    expect_cancelled();
    cr_expect_eq(svc_response_status(res), 0);
    cr_expect_eq(res->pipe, NULL);
}

Test(reply_response_pipe, of_a_bad_answer_is_taken_and_leaves_the_answer_as_it_was)
{
    cr_assert_eq(svc_response_text(res, 200, "before"), 0);
    cr_expect_eq(svc_response_pipe(res, 600, "a/b", svc_pipe_ref(pipe)), SVC_EINVAL);
    expect_cancelled();
    cr_expect_not(svc__response_pipe_reads(res));
    cr_expect_eq(res->body.kind, REPLY_MEMORY);
    cr_expect_not(svc__waker_is_held(res->waker), "nobody is left to wake it");
}

Test(reply_response_pipe, without_memory_is_taken)
{
    hand_exhaust(&x->arena);
    cr_expect_eq(svc_response_pipe(res, 200, "a/b", svc_pipe_ref(pipe)), SVC_ENOMEM);
    expect_cancelled();
}

Test(reply_response_pipe, without_a_waker_is_taken)
{
    starve_after(0);
    int error = svc_response_pipe(res, 200, "a/b", svc_pipe_ref(pipe));
    cr_expect(starve_end());
    cr_expect_eq(error, SVC_ENOMEM);
    expect_cancelled();
    cr_expect_eq(res->body.kind, REPLY_EMPTY);
}

Test(reply_response_pipe, yields_what_is_written_and_its_end)
{
    char data[8];
    cr_assert_eq(svc_response_pipe(res, 200, "a/b", svc_pipe_ref(pipe)), 0);
    cr_expect_eq(res->body.source.length, SVC_LENGTH_UNKNOWN);
    cr_expect_eq(read_body(data, 8), SVC_EAGAIN);
    cr_expect_eq(svc_pipe_try_write(pipe, "hello", 5), 5);
    cr_expect_eq(read_body(data, 4), 4);
    cr_expect_eq(read_body(data + 4, 4), 1);
    cr_expect_eq(memcmp(data, "hello", 5), 0);
    svc_pipe_end(pipe, SVC_ESYSTEM);
    cr_expect_eq(read_body(data, 8), SVC_ESYSTEM);
}

Test(reply_response_pipe, whoever_writes_wakes_the_one_whose_reply_it_is)
{
    char data[8];
    cr_assert_eq(svc_response_pipe(res, 200, "a/b", svc_pipe_ref(pipe)), 0);
    cr_assert_eq(svc__response_pipe_begin(x, res), 0);
    svc__waker_bind(res->waker, x);
    svc__waker_arm(&res->waker->waker);
    cr_expect_eq(read_body(data, 8), SVC_EAGAIN);
    cr_expect_eq(hand.wakes, 0);
    cr_expect_eq(svc_pipe_try_write(pipe, "a", 1), 1);
    cr_expect_eq(hand.wakes, 1);
    svc__away_news(x);
    cr_expect_eq(hand.home.away, 0);
}

Test(reply_response_pipe, another_answer_cancels_it_and_nobody_is_woken_any_more)
{
    char data[8];
    cr_assert_eq(svc_response_pipe(res, 200, "a/b", svc_pipe_ref(pipe)), 0);
    svc__waker_bind(res->waker, x);
    svc__waker_arm(&res->waker->waker);
    cr_expect_eq(read_body(data, 8), SVC_EAGAIN);
    cr_assert_eq(svc_response_text(res, 200, "other"), 0);
    expect_cancelled();
    cr_expect_not(svc__response_pipe_reads(res));
    svc__waker_disarm(&res->waker->waker);
    svc__away_news(x);
    cr_expect_eq(hand.home.away, 0);
}

/* ---- Writers */

static int write_reply(svc_pipe *to, void *given)
{
    cr_expect_eq(given, &arg);
    cr_expect_eq(svc_pipe_write(to, "written", 7), 0);
    atomic_fetch_add(&writes, 1);
    return written;
}

static void answer_by_writer(void)
{
    cr_assert_eq(svc_response_writer(res, 200, "a/b", write_reply, &arg), 0);
    cr_expect_eq(writes, 0);
}

/* Until the home was told, which ends the hold of the writer. */
static void await_end(void)
{
    hand_await_wakes(1);
    svc__away_news(x);
    cr_expect_eq(hand.home.away, 0);
    cr_expect_eq(x->refs, 1);
}

Test(reply_response_pipe, an_answer_without_a_writer_begins_without_a_worker)
{
    cr_expect_eq(svc__response_pipe_begin(x, res), 0);
    cr_assert_eq(svc_response_pipe(res, 200, "a/b", svc_pipe_ref(pipe)), 0);
    threads_left = 0;
    cr_expect_eq(svc__response_pipe_begin(x, res), 0);
    cr_expect_eq(res->pipe->x, x);
    cr_expect_eq(hand.home.away, 0);
}

Test(reply_response_pipe, a_writer_is_called_once_however_often_the_reply_begins)
{
    char data[16];
    answer_by_writer();
    cr_expect_eq(svc__response_pipe_begin(x, res), 0);
    cr_expect_eq(svc__response_pipe_begin(x, res), 0);
    await_end();
    cr_expect_eq(writes, 1);
    cr_expect_eq(read_body(data, 16), 7);
    cr_expect_eq(memcmp(data, "written", 7), 0);
    cr_expect_eq(read_body(data, 16), 0, "its result ends the pipe");
}

Test(reply_response_pipe, a_writer_that_fails_ends_the_reply_so)
{
    char data[16];
    written = SVC_ENOTFOUND;
    answer_by_writer();
    cr_expect_eq(svc__response_pipe_begin(x, res), 0);
    await_end();
    cr_expect_eq(read_body(data, 16), SVC_ENOTFOUND);
}

Test(reply_response_pipe, without_a_worker_nothing_is_held)
{
    answer_by_writer();
    threads_left = 0;
    cr_expect_eq(svc__response_pipe_begin(x, res), SVC_EAGAIN);
    cr_expect_eq(hand.home.away, 0);
    cr_expect_eq(x->refs, 1);
    cr_expect_eq(hand.wakes, 0);
    svc__response_drop_body(res);
    cr_expect_eq(writes, 0);
}

/* The queue has taken the writer, and no thread can begin after all. */
Test(reply_response_pipe, a_writer_that_no_worker_takes_cuts_the_reply)
{
    char data[16];
    answer_by_writer();
    struct response_pipe *reply = res->pipe;
    cr_assert_eq(svc__response_pipe_begin(x, res), 0);
    bool begun = !svc__workers_withdraw(hand.plan->workers, &reply->work);
    if (!begun)
        reply->work.run(&reply->work, NULL);
    await_end();
    cr_expect_eq(writes, begun);
    if (!begun)
        cr_expect_eq(read_body(data, 16), SVC_ESYSTEM);
}

Test(reply_response_pipe, no_writer_is_called_for_an_answer_that_is_never_sent)
{
    cr_expect_eq(svc_response_writer(res, 200, "a/b", NULL, &arg), SVC_EINVAL);
    cr_expect_eq(svc_response_writer(NULL, 200, "a/b", write_reply, &arg), SVC_ENOMEM);
    starve_after(0);
    cr_expect_eq(svc_response_writer(res, 200, "a/b", write_reply, &arg), SVC_ENOMEM);
    starve_end();
    cr_expect_eq(svc_response_status(res), 0);
    answer_by_writer();
}
