#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/run/pipe.h"

static svc_pipe *pipe_of(size_t capacity)
{
    svc_pipe *pipe = svc_pipe_new(capacity);
    cr_assert(pipe);
    return pipe;
}

static void count(void *arg)
{
    ++*(int *)arg;
}

Test(run_pipe, a_push_is_taken_whole_beyond_the_capacity)
{
    char data[64];
    svc_pipe *pipe = pipe_of(4);
    cr_expect_eq(svc__pipe_push(pipe, "abc", 3), 0);
    cr_expect_not(svc__pipe_full(pipe));
    cr_expect_eq(svc__pipe_push(pipe, "0123456789", 10), 0);
    cr_expect(svc__pipe_full(pipe));
    cr_expect_eq(svc_pipe_try_write(pipe, "x", 1), SVC_EAGAIN);
    cr_expect_eq(svc__pipe_push(pipe, "", 0), 0);
    cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), 13);
    cr_expect_arr_eq(data, "abc0123456789", 13);
    cr_expect_not(svc__pipe_full(pipe));
    svc_pipe_unref(pipe);
}

Test(run_pipe, a_loop_that_found_the_pipe_full_is_called_when_there_is_room)
{
    char data[64];
    int calls = 0;
    svc_pipe *pipe = pipe_of(4);
    svc_pipe_on_room(pipe, count, &calls);
    for (int i = 1; i <= 3; i++) {
        cr_expect_eq(svc__pipe_push(pipe, "0123456789", 10), 0);
        cr_expect(svc__pipe_full(pipe));
        cr_expect_eq(svc_pipe_try_read(pipe, data, 7), 7);
        cr_expect_eq(calls, i - 1);
        cr_expect_eq(svc_pipe_try_read(pipe, data, 1), 1);
        cr_expect_eq(calls, i);
        cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), 2);
        cr_expect_eq(calls, i);
    }
    svc_pipe_unref(pipe);
}

Test(run_pipe, a_push_calls_the_reader)
{
    char data[8];
    int calls = 0;
    svc_pipe *pipe = pipe_of(4);
    svc_pipe_on_data(pipe, count, &calls);
    cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_EAGAIN);
    cr_expect_eq(svc__pipe_push(pipe, "", 0), 0);
    cr_expect_eq(calls, 0);
    cr_expect_eq(svc__pipe_push(pipe, "a", 1), 0);
    cr_expect_eq(calls, 1);
    svc_pipe_unref(pipe);
}

Test(run_pipe, a_push_says_when_nobody_reads)
{
    svc_pipe *ended = pipe_of(1), *cancelled = pipe_of(1);
    svc__pipe_push(ended, "abc", 3);
    svc__pipe_push(cancelled, "abc", 3);
    svc_pipe_end(ended, 0);
    svc_pipe_cancel(cancelled);
    cr_expect_not(svc__pipe_full(ended));
    cr_expect_not(svc__pipe_full(cancelled));
    cr_expect_eq(svc__pipe_push(ended, "a", 1), SVC_ECLOSED);
    cr_expect_eq(svc__pipe_push(cancelled, "a", 1), SVC_ECANCELLED);
    svc_pipe_unref(ended);
    svc_pipe_unref(cancelled);
}

Test(run_pipe, pushes_have_a_ceiling_too)
{
    char *data = calloc(1, SVC_PIPE_MAX);
    svc_pipe *pipe = pipe_of(1);
    cr_expect_eq(svc__pipe_push(pipe, data, SIZE_MAX), SVC_ETOOBIG);
    cr_expect_eq(svc__pipe_push(pipe, data, SVC_PIPE_MAX + 2), SVC_ETOOBIG);
    cr_expect_eq(svc__pipe_push(pipe, data, SVC_PIPE_MAX), 0);
    cr_expect_eq(svc__pipe_push(pipe, data, 2), SVC_ETOOBIG);
    cr_expect_eq(svc__pipe_push(pipe, data, 1), 0);
    cr_expect_eq(svc__pipe_push(pipe, data, 1), SVC_ETOOBIG);
    svc_pipe_unref(pipe);
    free(data);
}

/* The n-th byte that goes through; the period is no multiple of any size of the ring. */
static char byte_at(size_t n)
{
    return (char)(n % 251 + n / 251 % 7);
}

static void expect_bytes(const char *data, size_t from, int64_t len)
{
    for (int64_t i = 0; i < len; i++)
        cr_assert_eq(data[i], byte_at(from + (size_t)i));
}

/* Pieces of all lengths, taken at all places, while the ring wraps round and grows, also when what
 * it holds wraps round. */
Test(run_pipe, bytes_keep_their_order_wherever_the_ring_wraps_and_grows)
{
    static const size_t capacities[] = {1, 3, 4096, 5000, 20000};
    char data[16384];
    for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
        svc_pipe *pipe = pipe_of(capacities[c]);
        size_t in = 0, out = 0;
        for (size_t i = 1; i < 3000; i++) {
            size_t len = i * 7919 % (i % 3 ? 700 : sizeof data);
            for (size_t k = 0; k < len; k++)
                data[k] = byte_at(in + k);
            if (i % 2 && !svc__pipe_full(pipe)) {
                cr_assert_eq(svc__pipe_push(pipe, data, len), 0);
                in += len;
            } else {
                int64_t n = svc_pipe_try_write(pipe, data, len);
                in += n > 0 ? (size_t)n : 0;
            }
            int64_t n = svc_pipe_try_read(pipe, data, 1 + i * 104729 % sizeof data);
            expect_bytes(data, out, n);
            out += n > 0 ? (size_t)n : 0;
        }
        cr_expect_gt(out, capacities[c] * 100);
        svc_pipe_unref(pipe);
    }
}
