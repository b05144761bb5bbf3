/* Bounded pipes through the public interface: what each end is told, and when. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include <svc.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static svc_pipe *make(size_t capacity)
{
    svc_pipe *pipe = svc_pipe_new(capacity);
    cr_assert(pipe);
    return pipe;
}

static void expect_read(svc_pipe *pipe, const char *text)
{
    char data[64] = "";
    cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data - 1), (int64_t)strlen(text));
    cr_expect_str_eq(data, text);
}

static void count(void *arg)
{
    ++*(int *)arg;
}

/* ---- Bytes and their end */

Test(api_pipe, what_was_written_is_read_and_then_the_end)
{
    char data[8];
    svc_pipe *pipe = make(0);
    cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_EAGAIN);
    cr_expect_eq(svc_pipe_write(pipe, "abc", 3), 0);
    cr_expect_eq(svc_pipe_try_write(pipe, "de", 2), 2);
    expect_read(pipe, "abcde");
    cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_EAGAIN);
    (void)!svc_pipe_write(pipe, "f", 1);
    svc_pipe_end(pipe, 0);
    cr_expect_eq(svc_pipe_write(pipe, "g", 1), SVC_ECLOSED);
    cr_expect_eq(svc_pipe_try_write(pipe, "g", 1), SVC_ECLOSED);
    expect_read(pipe, "f");
    cr_expect_eq(svc_pipe_read(pipe, data, sizeof data), 0);
    cr_expect_eq(svc_pipe_read(pipe, data, sizeof data), 0);
    svc_pipe_unref(pipe);
}

Test(api_pipe, no_bytes_are_nothing_to_write_and_no_end_to_read)
{
    char data[1];
    svc_pipe *pipe = make(0);
    cr_expect_eq(svc_pipe_write(pipe, NULL, 0), 0);
    cr_expect_eq(svc_pipe_try_write(pipe, NULL, 0), 0);
    cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_EAGAIN);
    cr_expect_eq(svc_pipe_read(pipe, data, 0), SVC_EINVAL);
    cr_expect_eq(svc_pipe_try_read(pipe, data, 0), SVC_EINVAL);
    svc_pipe_unref(pipe);
    svc_pipe_unref(NULL);
}

/* Bytes that a pipe takes until it says that there is no room. */
static size_t fill(svc_pipe *pipe)
{
    static const char data[12345];
    size_t sum = 0;
    int64_t n;
    while ((n = svc_pipe_try_write(pipe, data, sizeof data)) > 0)
        sum += (size_t)n;
    cr_expect_eq(n, SVC_EAGAIN);
    return sum;
}

Test(api_pipe, a_pipe_holds_its_capacity_and_no_more)
{
    static const size_t rows[] = {1, 2, 4095, 4097, 12345, SVC_PIPE_DEFAULT, SVC_PIPE_MAX};
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_pipe *pipe = make(rows[i]);
        cr_expect_eq(fill(pipe), rows[i]);
        svc_pipe_unref(pipe);
    }
    svc_pipe *pipe = make(0);
    cr_expect_eq(fill(pipe), SVC_PIPE_DEFAULT);
    svc_pipe_unref(pipe);
    cr_expect_null(svc_pipe_new(SVC_PIPE_MAX + 1));
    cr_expect_null(svc_pipe_new(SIZE_MAX));
}

Test(api_pipe, an_error_jumps_over_what_is_held)
{
    static const struct {
        int given, read;
    } rows[] = {{SVC_ECANCELLED, SVC_ECANCELLED},
                {-1000, -1000},
                {1, SVC_EINVAL},
                {SVC_EAGAIN, SVC_EINVAL}};
    char data[8];
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_pipe *pipe = make(0);
        (void)!svc_pipe_write(pipe, "abc", 3);
        svc_pipe_end(pipe, rows[i].given);
        svc_pipe_end(pipe, 0);
        cr_expect_eq(svc_pipe_read(pipe, data, sizeof data), rows[i].read);
        cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), rows[i].read);
        cr_expect_eq(svc_pipe_write(pipe, "d", 1), SVC_ECLOSED);
        svc_pipe_unref(pipe);
    }
}

Test(api_pipe, the_first_end_counts)
{
    char data[8];
    svc_pipe *pipe = make(0);
    (void)!svc_pipe_write(pipe, "abc", 3);
    svc_pipe_end(pipe, 0);
    svc_pipe_end(pipe, SVC_ESYSTEM);
    expect_read(pipe, "abc");
    cr_expect_eq(svc_pipe_read(pipe, data, sizeof data), 0);
    svc_pipe_unref(pipe);
}

Test(api_pipe, a_reader_that_goes_cancels_the_writer)
{
    char data[8];
    svc_pipe *pipe = make(4);
    (void)!svc_pipe_write(pipe, "abcd", 4);
    svc_pipe_cancel(pipe);
    svc_pipe_cancel(pipe);
    cr_expect_eq(svc_pipe_write(pipe, "e", 1), SVC_ECANCELLED);
    cr_expect_eq(svc_pipe_try_write(pipe, "e", 1), SVC_ECANCELLED);
    svc_pipe_end(pipe, 0);
    cr_expect_eq(svc_pipe_read(pipe, data, sizeof data), SVC_ECANCELLED);
    cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_ECANCELLED);
    svc_pipe_unref(pipe);
}

/* ---- Callbacks */

Test(api_pipe, the_reader_is_called_once_when_there_is_something)
{
    char data[8];
    int calls = 0;
    svc_pipe *pipe = make(0);
    svc_pipe_on_data(pipe, count, &calls);
    (void)!svc_pipe_write(pipe, "a", 1);
    cr_expect_eq(calls, 0, "it had not asked");
    expect_read(pipe, "a");
    for (int i = 1; i <= 3; i++) {
        cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_EAGAIN);
        (void)!svc_pipe_write(pipe, "b", 1);
        (void)!svc_pipe_try_write(pipe, "c", 1);
        cr_expect_eq(calls, i);
        expect_read(pipe, "bc");
    }
    svc_pipe_unref(pipe);
}

Test(api_pipe, the_reader_is_called_at_either_end)
{
    static const int rows[] = {0, SVC_ESYSTEM};
    char data[8];
    for (size_t i = 0; i < ROWS(rows); i++) {
        int calls = 0;
        svc_pipe *pipe = make(0);
        svc_pipe_on_data(pipe, count, &calls);
        cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_EAGAIN);
        svc_pipe_end(pipe, rows[i]);
        svc_pipe_end(pipe, rows[i]);
        cr_expect_eq(calls, 1);
        cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), rows[i]);
        svc_pipe_unref(pipe);
    }
}

Test(api_pipe, the_writer_is_called_once_when_half_of_the_pipe_is_free)
{
    char data[8];
    int calls = 0;
    svc_pipe *pipe = make(8);
    svc_pipe_on_room(pipe, count, &calls);
    for (int i = 1; i <= 3; i++) {
        cr_expect_eq(svc_pipe_try_write(pipe, "0123456789", 10), 8);
        cr_expect_eq(svc_pipe_try_read(pipe, data, 5), 5);
        cr_expect_eq(calls, i - 1, "it had not asked");
        cr_expect_eq(svc_pipe_try_write(pipe, "0123456789", 10), 5);
        cr_expect_eq(svc_pipe_try_write(pipe, "0123456789", 10), SVC_EAGAIN);
        cr_expect_eq(svc_pipe_try_read(pipe, data, 3), 3);
        cr_expect_eq(calls, i - 1, "not yet half");
        cr_expect_eq(svc_pipe_read(pipe, data, 1), 1);
        cr_expect_eq(calls, i);
        cr_expect_eq(svc_pipe_try_read(pipe, data, 8), 4);
        cr_expect_eq(calls, i);
    }
    svc_pipe_unref(pipe);
}

Test(api_pipe, the_writer_is_called_when_the_reader_has_gone)
{
    int calls = 0;
    svc_pipe *pipe = make(8);
    svc_pipe_on_room(pipe, count, &calls);
    fill(pipe);
    svc_pipe_cancel(pipe);
    svc_pipe_cancel(pipe);
    cr_expect_eq(calls, 1);
    cr_expect_eq(svc_pipe_try_write(pipe, "a", 1), SVC_ECANCELLED);
    svc_pipe_unref(pipe);
}

Test(api_pipe, who_goes_or_takes_back_is_not_called_any_more)
{
    char data[8];
    int calls = 0;
    for (int taken_back = 0; taken_back <= 1; taken_back++) {
        svc_pipe *pipe = make(8);
        svc_pipe_on_data(pipe, count, &calls);
        svc_pipe_on_room(pipe, count, &calls);
        cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_EAGAIN);
        if (taken_back)
            svc_pipe_on_data(pipe, NULL, NULL);
        else
            svc_pipe_cancel(pipe);
        (void)!svc_pipe_try_write(pipe, "a", 1);
        svc_pipe_end(pipe, 0);
        svc_pipe_unref(pipe);

        pipe = make(8);
        svc_pipe_on_room(pipe, count, &calls);
        fill(pipe);
        if (taken_back)
            svc_pipe_on_room(pipe, NULL, NULL);
        else
            svc_pipe_end(pipe, 0);
        cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), 8);
        svc_pipe_cancel(pipe);
        svc_pipe_unref(pipe);
    }
    cr_expect_eq(calls, 0);
}

Test(api_pipe, another_function_is_called_at_its_own_next_turn)
{
    char data[8];
    int first = 0, second = 0;
    svc_pipe *pipe = make(0);
    svc_pipe_on_data(pipe, count, &first);
    cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_EAGAIN);
    svc_pipe_on_data(pipe, count, &second);
    cr_expect_eq(svc_pipe_try_read(pipe, data, sizeof data), SVC_EAGAIN);
    (void)!svc_pipe_write(pipe, "a", 1);
    cr_expect_eq(first, 0);
    cr_expect_eq(second, 1);
    svc_pipe_unref(pipe);
}

/* A reader that does all of its work where it is called, and goes there. */
struct drinker {
    svc_pipe *pipe;
    char got[64];
    size_t len;
    int depth, deepest;
    bool gone;
};

static void drink(void *arg)
{
    struct drinker *d = arg;
    int64_t n;
    d->deepest = ++d->depth > d->deepest ? d->depth : d->deepest;
    while ((n = svc_pipe_try_read(d->pipe, d->got + d->len, 1)) > 0)
        d->len += (size_t)n;
    d->depth--;
    if (n == SVC_EAGAIN)
        return;
    svc_pipe_on_data(d->pipe, NULL, NULL);
    svc_pipe_unref(d->pipe);
    d->gone = true;
}

struct pourer {
    svc_pipe *pipe;
    const char *rest;
    int depth, deepest;
};

static void pour(void *arg)
{
    struct pourer *p = arg;
    int64_t n = 1;
    p->deepest = ++p->depth > p->deepest ? p->depth : p->deepest;
    while (*p->rest && (n = svc_pipe_try_write(p->pipe, p->rest, strlen(p->rest))) > 0)
        p->rest += n;
    p->depth--;
    if (n == SVC_EAGAIN)
        return;
    svc_pipe_end(p->pipe, 0);
}

/* Each end is called from within the other's call, and never from within its own; and the only
 * reference goes while calls are under way. Either end may begin. */
Test(api_pipe, callbacks_may_use_the_pipe_and_leave_it)
{
    for (int writer_first = 0; writer_first <= 1; writer_first++) {
        svc_pipe *pipe = make(4);
        struct drinker drinker = {.pipe = pipe};
        struct pourer pourer = {.pipe = pipe,
                                .rest = "The quick brown fox jumps over the lazy dog"};
        svc_pipe_on_data(pipe, drink, &drinker);
        svc_pipe_on_room(pipe, pour, &pourer);
        if (writer_first)
            pour(&pourer);
        drink(&drinker);
        if (!writer_first)
            pour(&pourer);
        cr_expect(drinker.gone);
        cr_expect_str_eq(drinker.got, "The quick brown fox jumps over the lazy dog");
        cr_expect_eq(drinker.deepest, 1);
        cr_expect_eq(pourer.deepest, 1);
    }
}

/* A reader that writes what it will read itself. */
struct echo {
    svc_pipe *pipe;
    int left, calls;
    bool running;
};

static void read_and_write(void *arg)
{
    struct echo *e = arg;
    char data[8];
    cr_expect_not(e->running);
    e->running = true;
    e->calls++;
    while (svc_pipe_try_read(e->pipe, data, sizeof data) > 0)
        ;
    if (e->left-- > 0)
        (void)!svc_pipe_write(e->pipe, "a", 1);
    e->running = false;
}

Test(api_pipe, a_callback_that_gives_reason_to_call_it_again_is_called_when_it_has_returned)
{
    struct echo echo = {.pipe = make(4), .left = 5};
    char data[8];
    svc_pipe_on_data(echo.pipe, read_and_write, &echo);
    cr_expect_eq(svc_pipe_try_read(echo.pipe, data, sizeof data), SVC_EAGAIN);
    (void)!svc_pipe_write(echo.pipe, "a", 1);
    cr_expect_eq(echo.calls, 6);
    svc_pipe_unref(echo.pipe);
}

/* ---- Blocked threads; tests/threads/pipe.c has them in earnest */

struct crossing {
    svc_pipe *pipe;
    int result;
};

static void *write_all(void *arg)
{
    static const char data[100];
    struct crossing *c = arg;
    c->result = svc_pipe_write(c->pipe, data, sizeof data);
    return NULL;
}

Test(api_pipe, a_writer_blocks_until_all_is_taken)
{
    struct crossing c = {.pipe = make(7), .result = 1};
    pthread_t writer;
    char data[5];
    size_t sum = 0;
    cr_assert_eq(pthread_create(&writer, NULL, write_all, &c), 0);
    while (sum < 100)
        sum += (size_t)svc_pipe_read(c.pipe, data, sizeof data);
    pthread_join(writer, NULL);
    cr_expect_eq(sum, 100);
    cr_expect_eq(c.result, 0);
    cr_expect_eq(svc_pipe_try_read(c.pipe, data, sizeof data), SVC_EAGAIN);
    svc_pipe_unref(c.pipe);
}
