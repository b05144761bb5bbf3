/*
 * A route for each phase in which a request waits. Each logs "reached" when it waits, and "seen"
 * when it has noticed that its client has left, both with the request's n. `g` on the standard
 * input releases all waiting requests, and `u` drops the wakers of the sources.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>

enum { MANY = 1024, LOOK_NS = 1000000 };

static svc_app *app;
static _Atomic unsigned goes; /* how often `g` has come */

/* A request that waits without a thread: the keeper's thread checks it. */
struct item {
    char n[16];
    unsigned since;
    svc_request *req;     /* of a layer that waits */
    svc_pending *pending; /* of a deferred answer */
    svc_pipe *pipe;       /* of a reply */
    bool reads;           /* the deferred one reads its body first */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static struct item items[MANY];
static size_t item_count;

static const char *number_of(const svc_request *req)
{
    return svc_request_param(req, "n");
}

static void log_n(const char *message, const char *n)
{
    svc_app_log_info(app, message, svc_kv_str("n", n));
}

static void look_again(void)
{
    nanosleep(&(struct timespec){0, LOOK_NS}, NULL);
}

static int answer(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, number_of(req));
}

/* ---- On a worker */

static int wait_on_worker(svc_request *req)
{
    unsigned since = atomic_load(&goes);
    log_n("reached", number_of(req));
    while (atomic_load(&goes) == since) {
        if (svc_request_cancelled(req)) {
            log_n("seen", number_of(req));
            return SVC_ECANCELLED;
        }
        look_again();
    }
    return 0;
}

static int work(svc_request *req, svc_response *res)
{
    int error = wait_on_worker(req);
    return error ? error : answer(req, res);
}

static int block(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    int error = wait_on_worker(req);
    return error ? error : SVC_PASS;
}

static const svc_middleware blocks = {
    .size = sizeof blocks, .name = "blocks", .flags = SVC_BLOCKING, .on_request = block};

static int read_all(svc_request *req)
{
    char data[16384];
    int64_t n;
    while ((n = svc_request_read(req, data, sizeof data)) > 0)
        continue;
    return (int)n;
}

static int stall(svc_request *req, svc_response *res)
{
    int error = wait_on_worker(req);
    error = error ? error : read_all(req);
    return error ? error : answer(req, res);
}

static int read_at_once(svc_request *req, svc_response *res)
{
    log_n("reached", number_of(req));
    int error = read_all(req);
    if (error == SVC_ECANCELLED)
        log_n("seen", number_of(req));
    return error ? error : answer(req, res);
}

/* ---- With the keeper */

static int keep(const svc_request *req, struct item item)
{
    snprintf(item.n, sizeof item.n, "%s", number_of(req));
    item.since = atomic_load(&goes);
    pthread_mutex_lock(&lock);
    bool room = item_count < MANY;
    if (room)
        items[item_count++] = item;
    pthread_mutex_unlock(&lock);
    return room ? 0 : SVC_ETOOBIG;
}

static int await(svc_request *req, svc_response *res, const svc_layer *layer)
{
    bool *waited = layer->state;
    (void)res;
    if (*waited)
        return SVC_PASS;
    *waited = true;
    int error = keep(req, (struct item){.req = req});
    log_n("reached", number_of(req));
    return error ? error : SVC_WAIT;
}

static const svc_middleware awaits = {
    .size = sizeof awaits, .name = "awaits", .state_size = sizeof(bool), .on_request = await};

static void drop(svc_pending *pending, void *arg)
{
    (void)arg;
    bool kept = false; /* else the keeper is about to complete it */
    log_n("seen", number_of(svc_pending_request(pending)));
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < item_count && !kept; i++)
        if ((kept = items[i].pending == pending))
            items[i] = items[--item_count];
    pthread_mutex_unlock(&lock);
    if (kept)
        svc_pending_unref(pending);
}

static int defer(svc_request *req, bool reads)
{
    char n[sizeof((struct item *)0)->n]; /* the keeper may end the request */
    svc_pending *pending = svc_request_defer(req, drop, NULL);
    if (!pending)
        return SVC_ENOMEM;
    snprintf(n, sizeof n, "%s", number_of(req));
    int error = keep(req, (struct item){.pending = pending, .reads = reads});
    log_n("reached", n);
    return error;
}

static int defer_answer(svc_request *req, svc_response *res)
{
    (void)res;
    return defer(req, false);
}

static int defer_reading(svc_request *req, svc_response *res)
{
    (void)res;
    return defer(req, true);
}

static int pipe_answer(svc_request *req, svc_response *res)
{
    svc_pipe *pipe = svc_pipe_new(0);
    int error = pipe ? svc_pipe_write(pipe, "begin", 5) : SVC_ENOMEM;
    if (!error)
        error = keep(req, (struct item){.pipe = svc_pipe_ref(pipe)});
    log_n("reached", number_of(req));
    return error ? error : svc_response_pipe(res, 200, "text/plain", pipe);
}

static void complete(const struct item *item)
{
    svc_response *res = svc_response_new();
    int error = item->reads ? read_all(svc_pending_request(item->pending)) : 0;
    svc_response_text(res, error ? 400 : 200, item->n);
    svc_pending_complete(item->pending, res);
    svc_pending_unref(item->pending);
}

/* Ends the wait if the client has left or the release has come. Whether it has. */
static bool look_after(const struct item *item)
{
    bool go_on = atomic_load(&goes) != item->since;
    if (item->req && !go_on && !svc_request_cancelled(item->req))
        return false;
    if (item->pipe && !go_on && svc_pipe_try_write(item->pipe, "", 0) == 0)
        return false;
    if (item->pending && !go_on) /* its function has logged it */
        return false;
    if (!go_on)
        log_n("seen", item->n);
    return true;
}

static void finish(const struct item *item)
{
    if (item->req)
        svc_request_resume(item->req);
    if (item->pending)
        complete(item);
    if (item->pipe) {
        (void)!svc_pipe_try_write(item->pipe, "end", 3);
        svc_pipe_end(item->pipe, 0);
        svc_pipe_unref(item->pipe);
    }
}

static void *keep_all(void *arg)
{
    (void)arg;
    for (;;) {
        struct item over = {.since = 0};
        bool found = false;
        pthread_mutex_lock(&lock);
        for (size_t i = 0; i < item_count && !found; i++)
            if ((found = look_after(&items[i]))) {
                over = items[i];
                items[i] = items[--item_count];
            }
        pthread_mutex_unlock(&lock);
        if (found)
            finish(&over);
        else
            look_again();
    }
    return NULL;
}

/* ---- Replies that are read or written */

struct source {
    char n[16];
    unsigned since;
    int step; /* 0: at the beginning, 1: waits, 2: at its end */
    svc_waker *waker;
    struct source *next; /* of those that wait; with the lock held */
};

static struct source *sources;

static int64_t read_source(void *state, char *data, size_t len)
{
    struct source *source = state;
    (void)len;
    if (source->step == 0) {
        source->step = 1;
        memcpy(data, "begin", 5);
        return 5;
    }
    if (source->step == 1 && atomic_load(&goes) == source->since)
        return SVC_EAGAIN;
    memcpy(data, "end", 3);
    return source->step++ == 1 ? 3 : 0;
}

static void close_source(void *state)
{
    struct source *source = state, **at = &sources;
    if (source->step == 1)
        log_n("seen", source->n);
    pthread_mutex_lock(&lock);
    while (*at != source)
        at = &(*at)->next;
    *at = source->next;
    svc_waker *waker = source->waker;
    pthread_mutex_unlock(&lock);
    svc_waker_unref(waker);
    free(source);
}

static struct source *new_source(const svc_request *req)
{
    struct source *source = calloc(1, sizeof *source);
    if (!source)
        return NULL;
    snprintf(source->n, sizeof source->n, "%s", number_of(req));
    source->since = atomic_load(&goes);
    pthread_mutex_lock(&lock);
    source->next = sources;
    sources = source;
    pthread_mutex_unlock(&lock);
    return source;
}

static int set_source(svc_response *res, struct source *state)
{
    bool known = atoi(state->n) % 2 && state->step == 0; /* libmicrohttpd goes another way then */
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_source;
    source.close = close_source;
    source.state = state;
    if (known)
        source.length = strlen("beginend");
    log_n("reached", state->n);
    return svc_response_source(res, 200, "text/plain", &source);
}

static int answer_from(svc_response *res, struct source *source)
{
    if (!source)
        return SVC_ENOMEM;
    svc_waker *waker = svc_response_waker(res);
    pthread_mutex_lock(&lock);
    source->waker = waker;
    pthread_mutex_unlock(&lock);
    return set_source(res, source);
}

static int source_answer(svc_request *req, svc_response *res)
{
    return answer_from(res, new_source(req));
}

/* One that has nothing at first, so that the head waits too. */
static int held_answer(svc_request *req, svc_response *res)
{
    struct source *source = new_source(req);
    if (source)
        source->step = 1;
    svc_response_hold_head(res);
    return answer_from(res, source);
}

/* No waker is held. */
static int stuck_answer(svc_request *req, svc_response *res)
{
    struct source *source = new_source(req);
    return source ? set_source(res, source) : SVC_ENOMEM;
}

/* An answer that cannot be sent before the body has ended. */
static int early_answer(svc_request *req, svc_response *res)
{
    char data[1024];
    int64_t n = svc_request_read(req, data, sizeof data);
    return n < 0 ? (int)n : source_answer(req, res);
}

static void wake_sources(void)
{
    pthread_mutex_lock(&lock);
    for (struct source *source = sources; source; source = source->next)
        if (source->waker)
            svc_waker_wake(source->waker);
    pthread_mutex_unlock(&lock);
}

static void take_wakers(void)
{
    pthread_mutex_lock(&lock);
    for (struct source *source = sources; source; source = source->next) {
        svc_waker_unref(source->waker);
        source->waker = NULL;
    }
    pthread_mutex_unlock(&lock);
}

static int write_end(svc_pipe *pipe, void *arg)
{
    const char *n = arg;
    int error = 0;
    unsigned since = atomic_load(&goes);
    log_n("reached", n);
    while (!error && atomic_load(&goes) == since) {
        look_again();
        error = (int)svc_pipe_try_write(pipe, "", 0);
    }
    if (error)
        log_n("seen", n);
    return error ? error : svc_pipe_write(pipe, "end", 3);
}

static int write_answer(svc_pipe *pipe, void *arg)
{
    int error = svc_pipe_write(pipe, "begin", 5);
    return error ? error : write_end(pipe, arg);
}

static int held_writer_answer(svc_request *req, svc_response *res)
{
    svc_response_hold_head(res);
    return svc_response_writer(res, 200, "text/plain", write_end,
                               (void *)(uintptr_t)number_of(req));
}

/* Deferred, and complete at once but for the first byte. */
static int held_pipe_answer(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *held = svc_response_new();
    svc_pipe *pipe = svc_pipe_new(0);
    svc_pipe *end = svc_pipe_ref(pipe);
    svc_response_pipe(held, 200, "text/plain", pipe);
    svc_response_hold_head(held);
    int error = pipe ? keep(req, (struct item){.pipe = end}) : SVC_ENOMEM;
    log_n("reached", number_of(req));
    if (!error)
        error = svc_pending_complete(pending, held);
    svc_pending_unref(pending);
    return error;
}

static int writer_answer(svc_request *req, svc_response *res)
{
    return svc_response_writer(res, 200, "text/plain", write_answer,
                               (void *)(uintptr_t)number_of(req));
}

/* ---- The service */

static void *listen_to_test(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1) {
        if (letter == 'g') {
            atomic_fetch_add(&goes, 1);
            wake_sources();
        }
        if (letter == 'u')
            take_wakers();
    }
    return NULL;
}

static int start(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    pthread_t thread;
    bool begun = !pthread_create(&thread, NULL, listen_to_test, NULL) && !pthread_detach(thread) &&
                 !pthread_create(&thread, NULL, keep_all, NULL) && !pthread_detach(thread);
    return begun ? 0 : SVC_ESYSTEM;
}

static void add(const char *pattern, svc_handler *handler, unsigned flags,
                const svc_middleware *layer)
{
    const svc_middleware *const layers[] = {layer, NULL};
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = flags;
    route.max_body = strstr(pattern, "early") ? (size_t)1 << 30 : (size_t)2 << 20;
    route.middleware = layer ? layers : NULL;
    svc_app_route(app, &route);
}

int main(void)
{
    app = svc_app_new("phases");
    add("/hello/{n}", answer, 0, NULL);
    add("/worker/{n}", work, SVC_BLOCKING, NULL);
    add("/layer/{n}", answer, 0, &blocks);
    add("/waiting/{n}", answer, 0, &awaits);
    add("/deferred/{n}", defer_answer, 0, NULL);
    add("/pipe/{n}", pipe_answer, 0, NULL);
    add("/source/{n}", source_answer, 0, NULL);
    add("/held/{n}", held_answer, 0, NULL);
    add("/held-writer/{n}", held_writer_answer, 0, NULL);
    add("/held-pipe/{n}", held_pipe_answer, 0, NULL);
    add("/stuck/{n}", stuck_answer, 0, NULL);
    add("/writer/{n}", writer_answer, 0, NULL);
    add("/stall/{n}", stall, SVC_BLOCKING | SVC_STREAM_BODY, NULL);
    add("/idle/{n}", defer_reading, SVC_STREAM_BODY, NULL);
    add("/early/{n}", early_answer, SVC_BLOCKING | SVC_STREAM_BODY, NULL);
    add("/read/{n}", read_at_once, SVC_BLOCKING | SVC_STREAM_BODY, NULL);
    svc_app_add_hook(app, start, NULL, NULL);
    return svc_app_run(app);
}
