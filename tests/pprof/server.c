/*
 * A service that can be profiled. GET /loop, /worker and /later compute in functions of their own,
 * on an event loop, on a worker, and on a thread that answers later; a task computes if the first
 * argument is "task".
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <svc.h>
#include <svc/pprof.h>

enum { BURN_MS = 20 };

#ifdef __SANITIZE_THREAD__
/* The sanitizer does not see gperftools' locks. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:ProfileData";
}
#endif

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static _Thread_local volatile unsigned sink;

/* A function of its own for each kind of thread. A compiler merges functions that do the same,
 * hence the factor. */
#define BURNS(name, factor)                                                                        \
    __attribute__((noinline)) static void name(void)                                               \
    {                                                                                              \
        for (unsigned i = 0; i < 20000; i++)                                                       \
            sink = sink * (factor) + i;                                                            \
    }

BURNS(burn_on_loop, 31)
BURNS(burn_on_worker, 37)
BURNS(burn_later, 41)
BURNS(burn_in_task, 43)

static int answer_on_loop(svc_request *req, svc_response *res)
{
    uint64_t end = now_ms() + BURN_MS;
    (void)req;
    while (now_ms() < end)
        burn_on_loop();
    return svc_response_text(res, 200, "ok");
}

static int answer_on_worker(svc_request *req, svc_response *res)
{
    uint64_t end = now_ms() + BURN_MS;
    (void)req;
    while (now_ms() < end)
        burn_on_worker();
    return svc_response_text(res, 200, "ok");
}

static void *burn_and_answer(void *arg)
{
    svc_pending *pending = arg;
    uint64_t end = now_ms() + BURN_MS;
    while (now_ms() < end)
        burn_later();
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "ok");
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
    return NULL;
}

static int answer_later(svc_request *req, svc_response *res)
{
    pthread_t thread;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    (void)res;
    if (!pending || pthread_create(&thread, NULL, burn_and_answer, pending))
        return SVC_ENOMEM;
    return pthread_detach(thread);
}

static int answer_nothing(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

static int burn_until_stop(svc_task_context *context, void *arg)
{
    (void)arg;
    while (!svc_task_stopping(context))
        burn_in_task();
    return 0;
}

static void *hoard; /* a chain of pieces */

/* Memory that stays, in pieces of which tcmalloc samples some. */
__attribute__((noinline)) static void hoard_memory(void)
{
    enum { PIECES = 65536, PIECE_BYTES = 1000 };
    for (size_t i = 0; i < PIECES; i++) {
        void **piece = malloc(PIECE_BYTES);
        if (!piece)
            return;
        *piece = hoard;
        hoard = piece;
    }
}

static void ignore_signal(int number)
{
    (void)number;
}

static void add_task(svc_app *app)
{
    svc_task task = SVC_TASK_INIT;
    task.name = "burner";
    task.run = burn_until_stop;
    task.stack_bytes = 64 << 10; /* the least: a sample is taken on it */
    svc_app_add_task(app, &task);
}

static void prepare(svc_app *app, const char *argument)
{
    const struct rlimit small = {1 << 20, 1 << 20};
    if (!strcmp(argument, "task"))
        add_task(app);
    else if (!strcmp(argument, "heap"))
        hoard_memory();
    else if (!strcmp(argument, "handler"))
        signal(SIGPROF, ignore_signal);
    else if (!strcmp(argument, "default"))
        signal(SIGPROF, SIG_DFL);
    else if (!strcmp(argument, "limit"))
        setrlimit(RLIMIT_FSIZE, &small);
}

int main(int argc, char **argv)
{
    svc_app *app = svc_app_new("profiled");
    svc_route route = SVC_ROUTE_INIT;
    svc_pprof_add(app);
    svc_app_get(app, "/loop", answer_on_loop, NULL);
    svc_app_get(app, "/later", answer_later, NULL);
    svc_app_get(app, "/quick", answer_nothing, NULL);
    route.pattern = "GET /worker";
    route.handler = answer_on_worker;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
    prepare(app, argc > 1 ? argv[1] : "");
    return svc_app_run(app);
}
