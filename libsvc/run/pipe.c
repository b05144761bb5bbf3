/*
 * The pipe: a ring that grows up to its capacity, behind one lock. A change at one end wakes a
 * thread that is blocked at the other end, or calls that end's function.
 */
#include "libsvc/run/pipe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/least.h"
#include "libsvc/run/reactor.h"

enum {
    FIRST_BYTES = 4096,
    MOST_AT_ONCE = 1 << 18 /* copied under the lock: the other end waits some 20 us for it */
};

/* The function that is called for an end that does not block. */
struct end {
    void (*fn)(void *arg);
    void *arg;
    bool armed;   /* it has got SVC_EAGAIN, and its function has not been called since */
    bool running; /* `fn` is, on the thread `runner` */
    bool again;   /* and is to be called again when it returns */
    pthread_t runner;
};

struct svc_pipe {
    atomic_uint owners;
    pthread_mutex_t lock; /* for all that follows */
    /* Something that somebody waits for: a reader for bytes, a writer for room, or the taking back
     * of a function for its return. No two ends are blocked at once, so one condition does for all.
     */
    pthread_cond_t moved;
    struct end reader, writer;
    size_t capacity;
    char *data; /* the ring: `held` bytes from `first` on, wrapping round at `size` */
    size_t size, first, held;
    bool ended;     /* by the writer */
    bool cancelled; /* by the reader */
    int error;      /* for the reader, when the pipe is ended or cancelled and nothing is held */
};

svc_pipe *svc_pipe_new(size_t capacity)
{
    svc_pipe *pipe = capacity <= SVC_PIPE_MAX ? calloc(1, sizeof *pipe) : NULL;
    if (!pipe)
        return NULL;
    pipe->capacity = capacity ? capacity : SVC_PIPE_DEFAULT;
    atomic_init(&pipe->owners, 1);
    if (pthread_mutex_init(&pipe->lock, NULL))
        goto no_lock;
    if (pthread_cond_init(&pipe->moved, NULL))
        goto no_condition;
    return pipe;
no_condition:
    pthread_mutex_destroy(&pipe->lock);
no_lock:
    free(pipe);
    return NULL;
}

svc_pipe *svc_pipe_ref(svc_pipe *pipe)
{
    if (pipe)
        atomic_fetch_add_explicit(&pipe->owners, 1, memory_order_relaxed);
    return pipe;
}

void svc_pipe_unref(svc_pipe *pipe)
{
    if (!pipe || atomic_fetch_sub_explicit(&pipe->owners, 1, memory_order_acq_rel) != 1)
        return;
    pthread_cond_destroy(&pipe->moved);
    pthread_mutex_destroy(&pipe->lock);
    free(pipe->data);
    free(pipe);
}

/* ---- Notifying an end. All of this with the lock held; notify_end() lets it go. */

/* Notes that an end has got SVC_EAGAIN. */
static void arm(struct end *end)
{
    end->armed = end->fn != NULL;
}

/* Forgets that an end was to be notified. */
static void disarm(struct end *end)
{
    end->armed = end->again = false;
}

/* Calls the function of an end as often as there is reason to by the time it returns. */
static void call(svc_pipe *pipe, struct end *end)
{
    svc_pipe_ref(pipe); /* The function may give up the one that the caller relies on. */
    end->running = true;
    end->runner = pthread_self();
    do {
        void (*fn)(void *arg) = end->fn;
        void *arg = end->arg;
        end->again = false;
        pthread_mutex_unlock(&pipe->lock);
        fn(arg);
        pthread_mutex_lock(&pipe->lock);
    } while (end->again);
    end->running = false;
    pthread_cond_broadcast(&pipe->moved);
    pthread_mutex_unlock(&pipe->lock);
    svc_pipe_unref(pipe);
}

/* The pipe has moved: wakes a thread that is blocked at this end, or calls its function. */
static void notify_end(svc_pipe *pipe, struct end *end)
{
    pthread_cond_broadcast(&pipe->moved);
    bool is_due = end->armed;
    end->armed = false;
    if (is_due && !end->running) {
        call(pipe, end);
        return;
    }
    end->again |= is_due;
    pthread_mutex_unlock(&pipe->lock);
}

/* Sets the function of an end, once the one before has returned. */
static void set_function(svc_pipe *pipe, struct end *end, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&pipe->lock);
    disarm(end);
    end->fn = NULL;
    while (end->running && !pthread_equal(end->runner, pthread_self()))
        pthread_cond_wait(&pipe->moved, &pipe->lock);
    end->fn = fn;
    end->arg = arg;
    pthread_mutex_unlock(&pipe->lock);
}

void svc_pipe_on_room(svc_pipe *pipe, void (*fn)(void *arg), void *arg)
{
    if (pipe)
        set_function(pipe, &pipe->writer, fn, arg);
}

void svc_pipe_on_data(svc_pipe *pipe, void (*fn)(void *arg), void *arg)
{
    if (pipe)
        set_function(pipe, &pipe->reader, fn, arg);
}

/* Blocks until the pipe has moved. SVC_ESTATE on an event loop, since that loop may be the one to
 * move it. */
static int wait_for_move(svc_pipe *pipe)
{
    if (svc__reactor_on_loop())
        return SVC_ESTATE;
    pthread_cond_wait(&pipe->moved, &pipe->lock);
    return 0;
}

/* ---- The ring, with the lock held */

static void drop_held(svc_pipe *pipe)
{
    free(pipe->data);
    pipe->data = NULL;
    pipe->size = pipe->first = pipe->held = 0;
}

/* Moves the held bytes to the front of other memory. False when out of memory. */
static bool resize(svc_pipe *pipe, size_t size)
{
    char *data = malloc(size);
    if (!data)
        return false;
    if (pipe->held > 0) {
        size_t before_end = svc__least(pipe->held, pipe->size - pipe->first);
        memcpy(data, pipe->data + pipe->first, before_end);
        memcpy(data + before_end, pipe->data, pipe->held - before_end);
    }
    free(pipe->data);
    pipe->data = data;
    pipe->size = size;
    pipe->first = 0;
    return true;
}

/* Makes room for `len` more: twice the size each time, but not more than can be needed. */
static bool grow_ring(svc_pipe *pipe, size_t len)
{
    size_t need = pipe->held + len;
    if (need <= pipe->size)
        return true;
    size_t most = need > pipe->capacity ? need : pipe->capacity;
    size_t size = pipe->size ? pipe->size * 2 : FIRST_BYTES;
    return resize(pipe, svc__least(size < need ? need : size, most));
}

/* Puts bytes behind those that are held; there is room. */
static void put(svc_pipe *pipe, const char *data, size_t len)
{
    size_t at = pipe->first + pipe->held;
    at -= at >= pipe->size ? pipe->size : 0;
    size_t before_end = svc__least(len, pipe->size - at);
    memcpy(pipe->data + at, data, before_end);
    memcpy(pipe->data, data + before_end, len - before_end);
    pipe->held += len;
}

/* Takes the first `len` of the bytes that are held, which are more than none. */
static void take_bytes(svc_pipe *pipe, char *data, size_t len)
{
    size_t before_end = svc__least(len, pipe->size - pipe->first);
    memcpy(data, pipe->data + pipe->first, before_end);
    memcpy(data + before_end, pipe->data, len - before_end);
    pipe->first += len;
    pipe->first -= pipe->first >= pipe->size ? pipe->size : 0;
    pipe->held -= len;
    if (pipe->held == 0)
        pipe->first = 0; /* Small pieces go through the same few cache lines. */
    if (pipe->held == 0 && pipe->ended)
        drop_held(pipe);
}

/* ---- The writing end */

/* Why nothing is written any more, or 0. */
static int refusal(const svc_pipe *pipe)
{
    if (pipe->cancelled)
        return SVC_ECANCELLED;
    return pipe->ended ? SVC_ECLOSED : 0;
}

/* Puts as many bytes as there is room for. Without memory to grow, the pipe keeps its size. */
static int64_t put_some(svc_pipe *pipe, const char *data, size_t len)
{
    int error = refusal(pipe);
    if (error || len == 0)
        return error;
    if (pipe->held >= pipe->capacity)
        return SVC_EAGAIN;
    size_t n = svc__least(svc__least(len, MOST_AT_ONCE), pipe->capacity - pipe->held);
    if (!grow_ring(pipe, n))
        n = svc__least(n, pipe->size - pipe->held);
    if (n == 0)
        return pipe->held > 0 ? SVC_EAGAIN : SVC_ENOMEM;
    put(pipe, data, n);
    return (int64_t)n;
}

/* Lets the lock go after put_some, and notifies the reader of bytes. */
static void end_put(svc_pipe *pipe, int64_t n)
{
    if (n > 0)
        notify_end(pipe, &pipe->reader);
    else
        pthread_mutex_unlock(&pipe->lock);
}

int svc_pipe_write(svc_pipe *pipe, const void *data, size_t len)
{
    if (!pipe)
        return SVC_ENOMEM;
    const char *from = data;
    int64_t n;
    do {
        pthread_mutex_lock(&pipe->lock);
        while ((n = put_some(pipe, from, len)) == SVC_EAGAIN && !(n = wait_for_move(pipe)))
            continue;
        end_put(pipe, n);
        if (n > 0) {
            from += n;
            len -= (size_t)n;
        }
    } while (n > 0 && len > 0);
    return n < 0 ? (int)n : 0;
}

int64_t svc_pipe_try_write(svc_pipe *pipe, const void *data, size_t len)
{
    if (!pipe)
        return SVC_ENOMEM;
    pthread_mutex_lock(&pipe->lock);
    int64_t n = put_some(pipe, data, len);
    if (n == SVC_EAGAIN)
        arm(&pipe->writer);
    end_put(pipe, n);
    return n;
}

bool svc__pipe_full(svc_pipe *pipe)
{
    pthread_mutex_lock(&pipe->lock);
    bool is_full = !refusal(pipe) && pipe->held >= pipe->capacity;
    if (is_full)
        arm(&pipe->writer);
    pthread_mutex_unlock(&pipe->lock);
    return is_full;
}

/* Puts all of `len` bytes. */
static int put_all(svc_pipe *pipe, const char *data, size_t len)
{
    int error = refusal(pipe);
    if (error || len == 0)
        return error;
    if (len > pipe->capacity + SVC_PIPE_MAX - pipe->held)
        return SVC_ETOOBIG;
    if (!grow_ring(pipe, len))
        return SVC_ENOMEM;
    put(pipe, data, len);
    return 0;
}

int svc__pipe_push(svc_pipe *pipe, const void *data, size_t len)
{
    pthread_mutex_lock(&pipe->lock);
    int error = put_all(pipe, data, len);
    end_put(pipe, error ? 0 : (int64_t)len);
    return error;
}

void svc_pipe_end(svc_pipe *pipe, int error)
{
    if (!pipe)
        return;
    pthread_mutex_lock(&pipe->lock);
    if (!refusal(pipe)) {
        pipe->ended = true;
        /* A reader takes SVC_EAGAIN for a pipe that goes on, and a positive number for bytes. */
        pipe->error = error > 0 || error == SVC_EAGAIN ? SVC_EINVAL : error;
        if (pipe->error || pipe->held == 0)
            drop_held(pipe);
        disarm(&pipe->writer);
    }
    notify_end(pipe, &pipe->reader);
}

/* ---- The reading end */

/* Takes held bytes, or returns the reason why there are none. */
static int64_t take_some(svc_pipe *pipe, char *data, size_t len)
{
    if (len == 0)
        return SVC_EINVAL;
    if (pipe->held == 0)
        return refusal(pipe) ? pipe->error : SVC_EAGAIN;
    size_t n = svc__least(svc__least(len, MOST_AT_ONCE), pipe->held);
    take_bytes(pipe, data, n);
    return (int64_t)n;
}

/* Lets the lock go after take_some. The writer is notified at half full, and not of each byte: it
 * would wake for little. */
static void end_take(svc_pipe *pipe, int64_t n)
{
    if (n > 0 && pipe->held <= pipe->capacity / 2)
        notify_end(pipe, &pipe->writer);
    else
        pthread_mutex_unlock(&pipe->lock);
}

int64_t svc_pipe_read(svc_pipe *pipe, void *data, size_t len)
{
    if (!pipe)
        return SVC_ENOMEM;
    int64_t n;
    pthread_mutex_lock(&pipe->lock);
    while ((n = take_some(pipe, data, len)) == SVC_EAGAIN && !(n = wait_for_move(pipe)))
        continue;
    end_take(pipe, n);
    return n;
}

int64_t svc_pipe_try_read(svc_pipe *pipe, void *data, size_t len)
{
    if (!pipe)
        return SVC_ENOMEM;
    pthread_mutex_lock(&pipe->lock);
    int64_t n = take_some(pipe, data, len);
    if (n == SVC_EAGAIN)
        arm(&pipe->reader);
    end_take(pipe, n);
    return n;
}

void svc_pipe_cancel(svc_pipe *pipe)
{
    if (!pipe)
        return;
    pthread_mutex_lock(&pipe->lock);
    if (!pipe->cancelled) {
        pipe->cancelled = true;
        pipe->error = pipe->error ? pipe->error : SVC_ECANCELLED;
        drop_held(pipe);
        disarm(&pipe->reader);
    }
    notify_end(pipe, &pipe->writer);
}
