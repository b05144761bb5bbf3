/*
 * Threads that meet in a pipe, a program of its own so that the thread sanitizer sees it: all bytes
 * come through in order whichever way the ends wait, nobody who is blocked is forgotten, and nobody
 * is called after it has taken its callback back.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/run/pipe.h"

static _Atomic bool failed;

static void expect_that(bool is_so, const char *what, long long number)
{
    if (is_so)
        return;
    printf("WRONG: %s (%lld)\n", what, number);
    failed = true;
}

static pthread_t start(void *(*run)(void *arg), void *arg)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, arg))
        abort();
    return thread;
}

/* ---- Streams of bytes */

enum { PERIOD = 65521, PIECE_MAX = 100000 };

/* What goes through, from any place in the period on. */
static char stream[PERIOD + PIECE_MAX];

static void make_stream(void)
{
    unsigned x = 1;
    for (size_t i = 0; i < PERIOD; i++) {
        x = x * 1664525 + 1013904223;
        stream[i] = (char)(x >> 24);
    }
    for (size_t i = PERIOD; i < sizeof stream; i++)
        stream[i] = stream[i - PERIOD];
}

/* How an end waits: it blocks, or it is called back, or, as an event loop, pushes. */
enum way { BLOCKS, CALLED, PUSHES };

struct passage {
    const char *name;
    size_t bytes, capacity;
    size_t write_max, read_max; /* of one call; lengths vary below these */
    enum way writer, reader;
};

struct side {
    const struct passage *passage;
    svc_pipe *pipe;
    sem_t called;
    long asked,
        calls; /* how often the pipe said SVC_EAGAIN, and called back; before the next ask */
};

static void wake(void *arg)
{
    struct side *side = arg;
    side->calls++; /* Without a lock: it never runs twice at once. */
    sem_post(&side->called);
}

static void await_call(struct side *side)
{
    side->asked++;
    while (sem_wait(&side->called))
        ;
    expect_that(side->calls == side->asked, "calls for each time it was asked", side->calls);
}

/* Lengths between 1 and `max`, without a pattern that both ends share. */
static size_t vary(size_t max, size_t turn, size_t stride)
{
    return 1 + turn * stride % max;
}

static int64_t write_piece(struct side *side, const char *data, size_t len)
{
    if (side->passage->writer == BLOCKS) {
        int error = svc_pipe_write(side->pipe, data, len);
        return error ? error : (int64_t)len;
    }
    if (side->passage->writer == CALLED)
        return svc_pipe_try_write(side->pipe, data, len);
    if (svc__pipe_full(side->pipe))
        return SVC_EAGAIN;
    int error = svc__pipe_push(side->pipe, data, len);
    return error ? error : (int64_t)len;
}

static void *write_stream(void *arg)
{
    struct side *side = arg;
    size_t sent = 0;
    int64_t n = 0;
    svc_pipe_on_room(side->pipe, wake, side);
    for (size_t turn = 1; sent < side->passage->bytes; turn++) {
        size_t len = vary(side->passage->write_max, turn, 7919);
        size_t left = side->passage->bytes - sent;
        n = write_piece(side, stream + sent % PERIOD, len < left ? len : left);
        if (n == SVC_EAGAIN)
            await_call(side);
        else if (n <= 0)
            break;
        else
            sent += (size_t)n;
    }
    expect_that(sent == side->passage->bytes, "written", n);
    svc_pipe_end(side->pipe, 0);
    return NULL;
}

static int64_t read_piece(struct side *side, char *data, size_t len)
{
    return side->passage->reader == BLOCKS ? svc_pipe_read(side->pipe, data, len)
                                           : svc_pipe_try_read(side->pipe, data, len);
}

static void *read_stream(void *arg)
{
    static char data[PIECE_MAX];
    struct side *side = arg;
    size_t got = 0;
    int64_t n = 1;
    bool same = true;
    svc_pipe_on_data(side->pipe, wake, side);
    for (size_t turn = 1; n != 0; turn++) {
        n = read_piece(side, data, vary(side->passage->read_max, turn, 104729));
        if (n == SVC_EAGAIN)
            await_call(side);
        else if (n < 0)
            break;
        else {
            same = same && !memcmp(data, stream + got % PERIOD, (size_t)n);
            got += (size_t)n;
        }
    }
    expect_that(same, "the bytes", 0);
    expect_that(n == 0 && got == side->passage->bytes, "read", (long long)got);
    return NULL;
}

static void pass(const struct passage *passage)
{
    svc_pipe *pipe = svc_pipe_new(passage->capacity);
    struct side writer = {.passage = passage, .pipe = pipe}, reader = writer;
    sem_init(&writer.called, 0, 0);
    sem_init(&reader.called, 0, 0);
    pthread_t threads[] = {start(write_stream, &writer), start(read_stream, &reader)};
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    svc_pipe_unref(pipe);
    expect_that(writer.calls == writer.asked, "calls of the writer", writer.calls);
    expect_that(reader.calls == reader.asked, "calls of the reader", reader.calls);
    printf("%s: %zu bytes, writer called %ld times, reader %ld\n", passage->name, passage->bytes,
           writer.calls, reader.calls);
}

static void pass_streams(void)
{
    static const struct passage rows[] = {
        {"100 MB, both block", 100000000, 0, PIECE_MAX, PIECE_MAX, BLOCKS, BLOCKS},
        {"100 MB, both called", 100000000, 0, PIECE_MAX, PIECE_MAX, CALLED, CALLED},
        {"a loop to a thread", 50000000, 0, 32768, 50000, PUSHES, BLOCKS},
        {"a thread to a loop", 50000000, 0, 50000, 32768, BLOCKS, CALLED},
        {"byte by byte, block", 300000, 100, 1, 1, BLOCKS, BLOCKS},
        {"byte by byte, called", 300000, 100, 1, 1, CALLED, CALLED},
        {"bytes to pieces", 500000, 4096, 1, 1000, BLOCKS, CALLED},
        {"pieces to bytes", 500000, 4096, 1000, 1, PUSHES, BLOCKS},
        {"a pipe of one byte", 50000, 1, 10, 10, BLOCKS, BLOCKS},
        {"a pipe of one byte, called", 50000, 1, 10, 10, CALLED, CALLED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        pass(&rows[i]);
}

/* ---- Blocked ends, and what ends their waiting */

enum { ROUNDS = 1000, BYTES = 1000, CAPACITY = 10 };

struct blocked {
    svc_pipe *pipe;
    int64_t result;
};

static void *block_writing(void *arg)
{
    static const char data[BYTES];
    struct blocked *blocked = arg;
    blocked->result = svc_pipe_write(blocked->pipe, data, sizeof data);
    svc_pipe_unref(blocked->pipe);
    return NULL;
}

static void *block_reading(void *arg)
{
    char data[BYTES];
    struct blocked *blocked = arg;
    blocked->result = svc_pipe_read(blocked->pipe, data, sizeof data);
    svc_pipe_unref(blocked->pipe);
    return NULL;
}

/* What another thread does, and what each end that is blocked makes of it. */
struct interruption {
    const char *name;
    void (*run)(svc_pipe *pipe);
    int64_t written, read;
};

static void end(svc_pipe *pipe)
{
    svc_pipe_end(pipe, 0);
}

static void break_off(svc_pipe *pipe)
{
    svc_pipe_end(pipe, SVC_ESYSTEM);
}

static void interrupt(const struct interruption *interruption, bool writing, int round)
{
    svc_pipe *pipe = svc_pipe_new(CAPACITY);
    struct blocked blocked = {.pipe = svc_pipe_ref(pipe)};
    pthread_t thread = start(writing ? block_writing : block_reading, &blocked);
    char byte;
    /* The writer is in the midst of it in half of the rounds, and anywhere in the others. */
    if (writing && round % 2)
        (void)!svc_pipe_read(pipe, &byte, 1);
    interruption->run(pipe);
    svc_pipe_unref(pipe);
    pthread_join(thread, NULL);
    expect_that(blocked.result == (writing ? interruption->written : interruption->read),
                interruption->name, blocked.result);
}

static void interrupt_blocked(void)
{
    static const struct interruption rows[] = {
        {"end", end, SVC_ECLOSED, 0},
        {"break", break_off, SVC_ECLOSED, SVC_ESYSTEM},
        {"cancel", svc_pipe_cancel, SVC_ECANCELLED, SVC_ECANCELLED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int round = 0; round < ROUNDS; round++) {
            interrupt(&rows[i], true, round);
            interrupt(&rows[i], false, round);
        }
    printf("blocked ends: %d rounds of each\n", ROUNDS);
}

/* ---- Callbacks that are taken back while the other end moves the pipe */

/* Freed as soon as the callback is taken back: the sanitizers see a call that comes too late. */
struct called {
    long calls;
};

static void note(void *arg)
{
    struct called *called = arg;
    called->calls++;
}

static void *write_until_cancelled(void *arg)
{
    svc_pipe *pipe = arg;
    while (!svc_pipe_write(pipe, "0123456", 7))
        ;
    svc_pipe_unref(pipe);
    return NULL;
}

static void *read_until_end(void *arg)
{
    svc_pipe *pipe = arg;
    char data[5];
    while (svc_pipe_read(pipe, data, sizeof data) > 0)
        ;
    svc_pipe_unref(pipe);
    return NULL;
}

static struct called *new_called(void)
{
    struct called *called = calloc(1, sizeof *called);
    if (!called)
        abort();
    return called;
}

enum { ASKS = 20000, CALLS = 200 };

/* Asks and takes the callback back after each, at once or a moment later, until calls have come
 * before that often enough. */
static long take_back_reading(svc_pipe *pipe)
{
    char data[16];
    long calls = 0;
    for (long ask = 0; ask < ASKS || calls < CALLS; ask++) {
        struct called *called = new_called();
        svc_pipe_on_data(pipe, note, called);
        while (svc_pipe_try_read(pipe, data, sizeof data) > 0)
            ;
        if (ask % 2)
            sched_yield();
        svc_pipe_on_data(pipe, NULL, NULL);
        expect_that(called->calls <= 1, "calls of one ask", called->calls);
        calls += called->calls;
        free(called);
    }
    return calls;
}

static long take_back_writing(svc_pipe *pipe)
{
    long calls = 0;
    for (long ask = 0; ask < ASKS || calls < CALLS; ask++) {
        struct called *called = new_called();
        svc_pipe_on_room(pipe, note, called);
        while (svc_pipe_try_write(pipe, "0123456", 7) > 0)
            ;
        if (ask % 2)
            sched_yield();
        svc_pipe_on_room(pipe, NULL, NULL);
        expect_that(called->calls <= 1, "calls of one ask", called->calls);
        calls += called->calls;
        free(called);
    }
    return calls;
}

static void take_back(void)
{
    svc_pipe *pipe = svc_pipe_new(CAPACITY);
    pthread_t thread = start(write_until_cancelled, svc_pipe_ref(pipe));
    long reading = take_back_reading(pipe);
    svc_pipe_cancel(pipe);
    svc_pipe_unref(pipe);
    pthread_join(thread, NULL);

    pipe = svc_pipe_new(CAPACITY);
    thread = start(read_until_end, svc_pipe_ref(pipe));
    long writing = take_back_writing(pipe);
    svc_pipe_end(pipe, 0);
    svc_pipe_unref(pipe);
    pthread_join(thread, NULL);
    printf("taken back: after %ld and %ld calls\n", reading, writing);
}

/* A call is under way, held up by a semaphore, while its callback is taken back. */
struct slow {
    svc_pipe *pipe;
    sem_t begun, go_on;
    bool returned;
};

static void take_long(void *arg)
{
    struct slow *slow = arg;
    sem_post(&slow->begun);
    while (sem_wait(&slow->go_on))
        ;
    slow->returned = true;
}

static void *write_byte(void *arg)
{
    struct slow *slow = arg;
    (void)!svc_pipe_write(slow->pipe, "a", 1);
    return NULL;
}

static void *let_go_on(void *arg)
{
    struct slow *slow = arg;
    sem_post(&slow->go_on);
    return NULL;
}

static void take_back_what_runs(void)
{
    char data[1];
    struct slow slow = {.pipe = svc_pipe_new(0)};
    sem_init(&slow.begun, 0, 0);
    sem_init(&slow.go_on, 0, 0);
    for (int round = 0; round < ROUNDS; round++) {
        slow.returned = false;
        svc_pipe_on_data(slow.pipe, take_long, &slow);
        expect_that(svc_pipe_try_read(slow.pipe, data, 1) == SVC_EAGAIN, "empty", round);
        pthread_t writer = start(write_byte, &slow);
        while (sem_wait(&slow.begun))
            ;
        pthread_t helper = start(let_go_on, &slow);
        svc_pipe_on_data(slow.pipe, NULL, NULL);
        expect_that(slow.returned, "it has returned when it is taken back", round);
        pthread_join(helper, NULL);
        pthread_join(writer, NULL);
        expect_that(svc_pipe_read(slow.pipe, data, 1) == 1, "the byte", round);
    }
    svc_pipe_unref(slow.pipe);
    printf("taken back while running: %d rounds\n", ROUNDS);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    make_stream();
    pass_streams();
    interrupt_blocked();
    take_back();
    take_back_what_runs();
    return failed ? 1 : 0;
}
