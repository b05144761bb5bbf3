/*
 * The server for the tests of workers, deferred answers and streams. Letters on its standard input
 * release its handlers, also when no connection gets through:
 *
 *     w  one handler, or writer, on a worker goes on
 *     l  the requests that wait in a layer go on
 *     c  the answers that are kept are given
 *     e  one worker that is to end does
 *
 * It logs the events of its requests.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>

#include "tests/support/flow.h"
#include "tests/support/sanitized.h"

enum { LOOK_NS = 2000000, MANY = 4096 };

static svc_app *app;
static sem_t let_work, let_end;
static _Atomic unsigned long in_time, late, cancelled_count;

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t number(const svc_request *req, const char *name)
{
    return strtoull(svc_request_param(req, name), NULL, 10);
}

static void sleep_us(uint64_t us)
{
    struct timespec left = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    while (nanosleep(&left, &left))
        continue;
}

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem))
        continue;
}

/* Whether the release came before the time was over. */
static bool wait_briefly(sem_t *sem)
{
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    due.tv_nsec += LOOK_NS;
    due.tv_sec += due.tv_nsec / 1000000000;
    due.tv_nsec %= 1000000000;
    return !sem_clockwait(sem, CLOCK_MONOTONIC, &due);
}

/* Written directly, since the log may have been closed. */
static void tell(const char *text)
{
    puts(text);
    fflush(stdout);
}

/* ---- On a worker */

/* Reads all parts of a request, for the address sanitizer. */
static int answer_with_all(svc_request *req, svc_response *res)
{
    size_t len;
    const char *body = svc_request_body(req, &len);
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += (unsigned char)body[i];
    const char *tag = svc_request_header(req, "X-Tag");
    svc_log_info(req, "goes on", svc_kv_str("path", svc_request_path(req)),
                 svc_kv_str("tag", tag ? tag : ""), svc_kv_uint("sum", sum),
                 svc_kv_bool("cancelled", svc_request_cancelled(req)));
    int error = svc_response_text(res, 200, svc_request_param(req, "n"));
    tell("has gone on");
    return error;
}

/* Does not check whether its client has left. */
static int block(svc_request *req, svc_response *res)
{
    svc_log_info(req, "at a worker", svc_kv_str("n", svc_request_param(req, "n")));
    wait_for(&let_work);
    return answer_with_all(req, res);
}

static int heed(svc_request *req, svc_response *res)
{
    svc_log_info(req, "at a worker", svc_kv_str("n", svc_request_param(req, "n")));
    while (!svc_request_cancelled(req))
        if (wait_briefly(&let_work))
            return answer_with_all(req, res);
    svc_log_info(req, "has heeded");
    return svc_response_text(res, 200, svc_request_param(req, "n"));
}

/* A layer on a worker, which does not check whether its client has left, and the handler behind it.
 */
static int block_layer(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    svc_log_info(req, "at a worker");
    wait_for(&let_work);
    tell("the layer has gone on");
    return SVC_PASS;
}

static const svc_middleware blocking_layer = {.size = sizeof blocking_layer,
                                              .name = "block",
                                              .flags = SVC_BLOCKING,
                                              .on_request = block_layer};

static int begin(svc_request *req, svc_response *res)
{
    tell("a handler begins");
    return svc_response_text(res, 200, svc_request_param(req, "n"));
}

static int rest(svc_request *req, svc_response *res)
{
    sleep_us(number(req, "ms") * 1000);
    return svc_response_text(res, 200, svc_request_param(req, "n"));
}

static int answer(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_param(req, "n"));
}

/* ---- Answers by other threads: as they come, in no order, and by the clock */

struct deferred {
    svc_pending *pending;
    uint64_t due_ms;
};

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct deferred items[MANY];
    size_t count;
};

static struct crew completers = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                 .changed = PTHREAD_COND_INITIALIZER};
static struct crew timers = {.lock = PTHREAD_MUTEX_INITIALIZER},
                   kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The answer has a text of this request only. */
static int give(svc_pending *pending)
{
    svc_response *res = svc_response_new();
    if (res)
        svc_response_text(res, 200, svc_request_param(svc_pending_request(pending), "n"));
    int error = svc_pending_complete(pending, res);
    atomic_fetch_add(error ? &late : &in_time, 1);
    svc_pending_unref(pending);
    return error;
}

static struct deferred take(struct crew *crew, size_t i)
{
    struct deferred item = crew->items[i];
    crew->items[i] = crew->items[--crew->count];
    return item;
}

static int hand_on(struct crew *crew, svc_pending *pending, uint64_t due_ms)
{
    if (!pending)
        return SVC_ENOMEM;
    pthread_mutex_lock(&crew->lock);
    bool room = crew->count < MANY;
    if (room)
        crew->items[crew->count++] = (struct deferred){pending, due_ms};
    pthread_cond_signal(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
    if (!room)
        svc_pending_unref(pending);
    return room ? 0 : SVC_EAGAIN;
}

static void *complete_any(void *arg)
{
    unsigned state = (unsigned)(uintptr_t)arg;
    for (;;) {
        pthread_mutex_lock(&completers.lock);
        while (!completers.count)
            pthread_cond_wait(&completers.changed, &completers.lock);
        state = state * 1664525 + 1013904223;
        struct deferred item = take(&completers, (state >> 8) % completers.count);
        pthread_mutex_unlock(&completers.lock);
        give(item.pending);
    }
    return NULL;
}

/* Gives one answer that is due. False if none is due. */
static bool give_due(void)
{
    svc_pending *due = NULL;
    pthread_mutex_lock(&timers.lock);
    for (size_t i = 0; i < timers.count && !due; i++)
        if (timers.items[i].due_ms <= clock_ms())
            due = take(&timers, i).pending;
    pthread_mutex_unlock(&timers.lock);
    if (due)
        give(due);
    return due;
}

static void *complete_in_time(void *arg)
{
    (void)arg;
    for (;;)
        if (!give_due())
            sleep_us(500);
    return NULL;
}

static void note_cancelled(svc_pending *pending, void *arg)
{
    (void)arg;
    atomic_fetch_add(&cancelled_count, 1);
    svc_log_info(svc_pending_request(pending), "answer not wanted");
}

static int now(svc_request *req, svc_response *res)
{
    (void)res;
    return hand_on(&completers, svc_request_defer(req, NULL, NULL), 0);
}

static int later(svc_request *req, svc_response *res)
{
    (void)res;
    uint64_t due_ms = clock_ms() + number(req, "ms");
    return hand_on(&timers, svc_request_defer(req, note_cancelled, NULL), due_ms);
}

/* Kept until the release, also when the answer is not needed any more. */
static int keep(svc_request *req, svc_response *res)
{
    (void)res;
    int error = hand_on(&kept, svc_request_defer(req, note_cancelled, NULL), 0);
    if (!error)
        svc_log_info(req, "kept");
    return error;
}

static void give_kept(void)
{
    pthread_mutex_lock(&kept.lock);
    while (kept.count) {
        svc_pending *pending = take(&kept, 0).pending;
        svc_log_info(svc_pending_request(pending), "gives",
                     svc_kv_str("path", svc_request_path(svc_pending_request(pending))));
        int error = give(pending);
        tell(error ? "has given late" : "has given");
    }
    pthread_mutex_unlock(&kept.lock);
}

static void quit_now(svc_pending *pending, void *arg)
{
    note_cancelled(pending, arg);
    give(pending);
}

/* Given back only when the answer is not needed any more. */
static int quit(svc_request *req, svc_response *res)
{
    (void)res;
    if (!svc_request_defer(req, quit_now, NULL))
        return SVC_ENOMEM;
    svc_log_info(req, "kept");
    return 0;
}

/* Never given back. */
static int forget(svc_request *req, svc_response *res)
{
    static svc_pending *volatile forgotten;
    (void)res;
    forgotten = svc_request_defer(req, note_cancelled, NULL);
    svc_log_info(req, "kept");
    return forgotten ? 0 : SVC_ENOMEM;
}

static int counts(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_json(res, 200, "{s:I,s:I,s:I}", "in_time", (json_int_t)in_time, "late",
                             (json_int_t)late, "cancelled", (json_int_t)cancelled_count);
}

/* ---- A layer that waits */

static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static svc_request *held[MANY];
static size_t held_count;

static int hold(svc_request *req, svc_response *res, const svc_layer *layer)
{
    int *waited = layer->state;
    (void)res;
    if ((*waited)++)
        return SVC_PASS;
    pthread_mutex_lock(&held_lock);
    bool room = held_count < MANY;
    if (room) {
        held[held_count++] = req;
        svc_log_info(req, "held");
    }
    pthread_mutex_unlock(&held_lock);
    return room ? SVC_WAIT : SVC_PASS;
}

static const svc_middleware hold_layer = {
    .size = sizeof hold_layer, .name = "hold", .state_size = sizeof(int), .on_request = hold};

static void release_all(void)
{
    pthread_mutex_lock(&held_lock);
    while (held_count > 0) {
        svc_request *req = held[--held_count];
        svc_log_info(req, svc_request_cancelled(req) ? "released in vain" : "released");
        svc_request_resume(req);
    }
    pthread_mutex_unlock(&held_lock);
}

/* ---- Streams in */

static _Atomic uint64_t sunk, poured;

/* Sleeps until `total` bytes are due, at `rate` a second; 0: at once. */
static void pace(uint64_t total, uint64_t rate, uint64_t began_ms)
{
    uint64_t due_ms = rate ? began_ms + total * 1000 / rate : 0, now_ms = clock_ms();
    if (due_ms > now_ms)
        sleep_us((due_ms - now_ms) * 1000);
}

static int tell_sum(svc_response *res, uint64_t total, bool right)
{
    return svc_response_json(res, 200, "{s:I,s:b}", "length", (json_int_t)total, "right", right);
}

static int end_early(svc_request *req, int64_t error, uint64_t total)
{
    svc_log_info(req, "body ended early", svc_kv_int("error", error), svc_kv_uint("total", total));
    return (int)error;
}

static int sink(svc_request *req, svc_response *res)
{
    char data[65536];
    uint64_t total = 0, rate = number(req, "rate"), began_ms = clock_ms();
    size_t most = rate ? 16384 : sizeof data;
    bool right = true;
    int64_t n;
    while ((n = svc_request_read(req, data, most)) > 0) {
        right = right && flow_is(data, total, (size_t)n);
        total += (uint64_t)n;
        atomic_store(&sunk, total);
        pace(total, rate, began_ms);
    }
    return n < 0 ? end_early(req, n, total) : tell_sum(res, total, right);
}

/* Reads nothing before the release or the request's end. */
static int stall(svc_request *req, svc_response *res)
{
    svc_log_info(req, "stalls");
    bool let = false;
    while (!let && !svc_request_cancelled(req))
        let = wait_briefly(&let_work);
    if (!let)
        svc_log_info(req, "has heeded");
    return sink(req, res);
}

static int answer_early(svc_request *req, svc_response *res)
{
    char data[1024];
    int64_t n = svc_request_read(req, data, sizeof data);
    return n < 0 ? (int)n : svc_response_text(res, 200, "early");
}

/* The same on the loop, by callbacks. */
struct reading {
    svc_request *req;
    svc_pending *pending;
    uint64_t total;
    bool right;
};

static void end_reading(struct reading *reading, int64_t error)
{
    svc_response *res = svc_response_new();
    svc_request_on_data(reading->req, NULL, NULL);
    if (error)
        end_early(reading->req, error, reading->total);
    if (res && error)
        svc_response_problem(res, 500, "the body ended early");
    else if (res)
        tell_sum(res, reading->total, reading->right);
    svc_pending_complete(reading->pending, res);
    svc_pending_unref(reading->pending);
}

static void read_more(void *arg)
{
    struct reading *reading = arg;
    char data[16384];
    int64_t n;
    while ((n = svc_request_try_read(reading->req, data, sizeof data)) > 0) {
        reading->right = reading->right && flow_is(data, reading->total, (size_t)n);
        reading->total += (uint64_t)n;
    }
    if (n != SVC_EAGAIN)
        end_reading(reading, n);
}

static int sink_on_loop(svc_request *req, svc_response *res)
{
    struct reading *reading = svc_request_alloc(req, sizeof *reading);
    (void)res;
    if (!reading)
        return SVC_ENOMEM;
    *reading = (struct reading){req, svc_request_defer(req, NULL, NULL), 0, true};
    if (!reading->pending)
        return SVC_ENOMEM;
    svc_request_on_data(req, read_more, reading);
    read_more(reading);
    return 0;
}

/* ---- Streams out */

struct pour {
    svc_pipe *pipe;
    uint64_t bytes, rate;
    size_t piece;
};

static int pour_into(svc_pipe *pipe, const struct pour *pour)
{
    uint64_t total = 0, began_ms = clock_ms();
    int error = 0;
    while (total < pour->bytes && !error) {
        uint64_t left = pour->bytes - total;
        size_t n = left < pour->piece ? (size_t)left : pour->piece;
        error = svc_pipe_write(pipe, flow_at(total, n), n);
        total += error ? 0 : n;
        atomic_store(&poured, total);
        pace(total, pour->rate, began_ms);
    }
    svc_app_log_info(app, "poured", svc_kv_uint("total", total), svc_kv_int("error", error));
    return error;
}

static int write_flow(svc_pipe *pipe, void *arg)
{
    return pour_into(pipe, arg);
}

static struct pour asked(svc_request *req)
{
    size_t piece = (size_t)number(req, "piece");
    if (piece == 0 || piece > FLOW_MOST)
        piece = FLOW_MOST;
    return (struct pour){NULL, number(req, "bytes"), number(req, "rate"), piece};
}

static int source(svc_request *req, svc_response *res)
{
    struct pour *pour = svc_request_alloc(req, sizeof *pour);
    if (!pour)
        return SVC_ENOMEM;
    *pour = asked(req);
    return svc_response_writer(res, 200, "application/octet-stream", write_flow, pour);
}

/* Threads that write into pipes: the app, whose log they use, must not be freed before they end. */
static pthread_mutex_t pourers_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pourers_changed = PTHREAD_COND_INITIALIZER;
static unsigned pourers;

static void count_pourer(int more)
{
    pthread_mutex_lock(&pourers_lock);
    pourers += (unsigned)more;
    pthread_cond_broadcast(&pourers_changed);
    pthread_mutex_unlock(&pourers_lock);
}

static void await_pourers(void)
{
    pthread_mutex_lock(&pourers_lock);
    while (pourers)
        pthread_cond_wait(&pourers_changed, &pourers_lock);
    pthread_mutex_unlock(&pourers_lock);
}

static void *pour_pipe(void *arg)
{
    struct pour *pour = arg;
    svc_pipe_end(pour->pipe, pour_into(pour->pipe, pour));
    svc_pipe_unref(pour->pipe);
    free(pour);
    count_pourer(-1);
    return NULL;
}

/* By a thread of the program, which does not know the request. */
static int source_of_own(svc_request *req, svc_response *res)
{
    struct pour *pour = malloc(sizeof *pour);
    pthread_t thread;
    if (!pour)
        return SVC_ENOMEM;
    *pour = asked(req);
    pour->pipe = svc_pipe_new(0);
    svc_pipe *pipe = pour->pipe ? svc_pipe_ref(pour->pipe) : NULL;
    count_pourer(1);
    if (!pipe || pthread_create(&thread, NULL, pour_pipe, pour)) {
        count_pourer(-1);
        free(pour);
        return SVC_ENOMEM;
    }
    pthread_detach(thread);
    return svc_response_pipe(res, 200, "application/octet-stream", pipe);
}

/* Has no more bytes until the release. */
static int write_little(svc_pipe *pipe, void *arg)
{
    (void)arg;
    int error = svc_pipe_write(pipe, "begin", 5);
    svc_app_log_info(app, "runs dry");
    wait_for(&let_work);
    error = error ? error : svc_pipe_write(pipe, "end", 3);
    svc_app_log_info(app, "wrote the rest", svc_kv_int("error", error));
    return error;
}

/* Fails after some bytes, or at once. */
static int write_badly(svc_pipe *pipe, void *arg)
{
    (void)arg;
    svc_pipe_write(pipe, "begin", 5);
    return SVC_ESYSTEM;
}

static int fail_at_once(svc_pipe *pipe, void *arg)
{
    (void)pipe, (void)arg;
    return SVC_ESYSTEM;
}

static int broken(svc_request *req, svc_response *res)
{
    bool at_once = number(req, "at_once");
    return svc_response_writer(res, 200, "text/plain", at_once ? fail_at_once : write_badly, NULL);
}

static int dry(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, "text/plain", write_little, NULL);
}

static int progress(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_json(res, 200, "{s:I,s:I}", "sunk", (json_int_t)sunk, "poured",
                             (json_int_t)poured);
}

/* Whether it is built with a sanitizer, which takes more time and memory. */
static int sanitized(svc_request *req, svc_response *res)
{
#ifdef SANITIZED
    const char *text = "yes";
#else
    const char *text = "no";
#endif
    (void)req;
    return svc_response_text(res, 200, text);
}

/* ---- The service */

static void *listen_to_test(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1) {
        if (letter == 'w')
            sem_post(&let_work);
        else if (letter == 'e')
            sem_post(&let_end);
        else if (letter == 'l')
            release_all();
        else if (letter == 'c')
            give_kept();
    }
    return NULL;
}

static bool begin_thread(void *(*run)(void *arg), uintptr_t arg)
{
    pthread_t thread;
    return !pthread_create(&thread, NULL, run, (void *)arg) && !pthread_detach(thread);
}

static int start(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    bool begun = begin_thread(listen_to_test, 0) && begin_thread(complete_in_time, 0);
    for (uintptr_t i = 1; i <= 4; i++)
        begun = begun && begin_thread(complete_any, i);
    return begun ? 0 : SVC_ESYSTEM;
}

static void stop(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    await_pourers();
}

static int begin_worker(svc_app *of, void *arg, void **state)
{
    (void)of, (void)arg;
    *state = NULL;
    return 0;
}

static void end_worker(void *state, void *arg)
{
    (void)state, (void)arg;
    svc_app_log_info(app, "a worker ends");
    if (getenv("ASYNC_SLOW_END"))
        wait_for(&let_end);
}

static void add(const char *pattern, svc_handler *handler, unsigned flags, unsigned timeout_ms)
{
    static const svc_middleware *const layers[] = {&hold_layer, NULL}, *const blocking_layers[] = {
                                                                           &blocking_layer, NULL};
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = flags;
    route.timeout_ms = timeout_ms;
    if (flags & SVC_STREAM_BODY)
        route.max_body = (size_t)2 << 30;
    if (strstr(pattern, "/small"))
        route.max_body = 100000;
    if (strstr(pattern, "/hold"))
        route.middleware = layers;
    if (strstr(pattern, "/block-layer"))
        route.middleware = blocking_layers;
    svc_app_route(app, &route);
}

int main(void)
{
    app = svc_app_new("async");
    sem_init(&let_work, 0, 0);
    sem_init(&let_end, 0, 0);
    flow_at(0, 0);
    add("/hello/{n}", answer, 0, 0);
    add("/fast/{n}", answer, SVC_BLOCKING, 0);
    add("/block/{n}", block, SVC_BLOCKING, 0);
    add("/block-layer/{n}", begin, 0, 0);
    add("/begin/{n}", begin, 0, 0);
    add("/heed/{n}", heed, SVC_BLOCKING, 0);
    add("/rest/{ms}/{n}", rest, SVC_BLOCKING, 0);
    add("/now/{n}", now, 0, 0);
    add("/worker-now/{n}", now, SVC_BLOCKING, 0);
    add("/later/{ms}/{n}", later, 0, 0);
    add("/brief/{ms}/{n}", later, 0, 8);
    add("/brief-rest/{ms}/{n}", rest, SVC_BLOCKING, 8);
    add("/brief-quit/{n}", quit, 0, 8);
    add("/brief-block/{n}", block, SVC_BLOCKING, 8);
    add("/keep/{n}", keep, 0, 0);
    add("/keep-body/{n}", keep, SVC_BLOCKING | SVC_STREAM_BODY, 0);
    add("/quit/{n}", quit, 0, 0);
    add("/forget/{n}", forget, 0, 0);
    add("/hold/{n}", answer, 0, 0);
    add("/counts", counts, 0, 0);
    add("/progress", progress, 0, 0);
    add("/sanitized", sanitized, 0, 0);
    add("/sink/{rate}", sink, SVC_BLOCKING | SVC_STREAM_BODY, 0);
    add("/small/{rate}", sink, SVC_BLOCKING | SVC_STREAM_BODY, 0);
    add("/small-loop", sink_on_loop, SVC_STREAM_BODY, 0);
    add("/loop-sink", sink_on_loop, SVC_STREAM_BODY, 0);
    add("/small-stall/{rate}", stall, SVC_BLOCKING | SVC_STREAM_BODY, 0);
    add("/stall/{rate}", stall, SVC_BLOCKING | SVC_STREAM_BODY, 0);
    add("/early", answer_early, SVC_BLOCKING | SVC_STREAM_BODY, 0);
    add("/source/{bytes}/{rate}/{piece}", source, 0, 0);
    add("/own-source/{bytes}/{rate}/{piece}", source_of_own, 0, 0);
    add("/dry", dry, 0, 0);
    add("/broken/{at_once}", broken, 0, 0);
    svc_app_each_worker(app, begin_worker, end_worker, NULL);
    svc_app_add_hook(app, start, stop, NULL);
    int status = svc_app_run(app);
    if (getenv("ASYNC_OUTLIVE")) { /* for handlers that outlive the app */
        tell("the app has ended");
        wait_for(&let_end);
    }
    return status;
}
