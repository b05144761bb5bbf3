/*
 * The CPU that spans cost the thread of a request, in nanoseconds: requests with a browser's fields
 * through dispatch, without a socket, without an exporter and with one. Another thread takes the
 * spans and frees them, as an exporter's does, which does not count. The result is the median of
 * each kind's turns, which are run one after the other, and how much of it is more than without an
 * exporter.
 *
 *     spans
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>
#include <svc/sys/span.h>

#include "bench/cpu.h"
#include "bench/median.h"
#include "libsvc/app/app_internal.h"
#include "libsvc/app/stalls.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/otlp/otlp_queue.h"
#include "libsvc/otlp/otlp_sample.h"
#include "libsvc/run/reactor.h"

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        {(name), sizeof(name) - 1},                                                                \
        {                                                                                          \
            (value), sizeof(value) - 1                                                             \
        }                                                                                          \
    }

enum { TURNS = 25, REQUESTS = 2000, SPAN_NS = 1000 /* the target */ };

static const struct field fields[] = {
    FIELD("Host", "localhost:8080"),
    FIELD("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    FIELD("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    FIELD("Accept-Language", "en-US,en;q=0.5"),
    FIELD("Connection", "keep-alive"),
    FIELD("Cache-Control", "max-age=0"),
};

/* ---- An exporter that sends nothing */

static struct otlp_queue queue = {.most = 1 << 20};
static _Atomic bool ended;

static void take(void *arg, svc_sys_span *span)
{
    (void)arg; /* the sampler */
    svc__otlp_queue_push(&queue, span);
}

static bool sample(void *arg, const unsigned char *trace_id, int parent)
{
    return svc__otlp_sample_decide(arg, trace_id, parent);
}

static void free_spans(void)
{
    size_t count = 0;
    for (svc_sys_span *span = svc__otlp_queue_take(&queue); span; count++) {
        svc_sys_span *next = span->next;
        svc_sys_span_free(span);
        span = next;
    }
    svc__otlp_queue_done(&queue, count);
}

static void *export_spans(void *arg)
{
    (void)arg;
    while (!ended) {
        free_spans();
        nanosleep(&(struct timespec){0, 200000}, NULL);
    }
    return NULL;
}

static bool sample_none(void *arg, const unsigned char *trace_id, int parent)
{
    (void)arg, (void)trace_id, (void)parent;
    return false;
}

/* ---- Kinds of requests */

static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_static(res, 200, "text/plain", "Hello, World!", 13);
}

static int answer_with_call(svc_request *req, svc_response *res)
{
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "GET orders");
    svc_span_set(span, svc_kv_str("server.address", "orders"), svc_kv_int("server.port", 80),
                 svc_kv_str("http.request.method", "GET"));
    svc_span_end(span);
    return svc_response_static(res, 200, "text/plain", "Hello, World!", 13);
}

static struct otlp_sampler all = {.bound = UINT64_C(1) << 63};

static struct kind {
    const char *name;
    svc_handler *handler;
    bool exports;
    bool (*sample)(void *arg, const unsigned char *trace_id, int parent);
    size_t spans; /* of a request */
    svc_app *app;
    double ns[TURNS];
} kinds[] = {
    {"no_exporter", answer, false, NULL, 0, NULL, {0}},
    {"not_sampled", answer, true, sample_none, 0, NULL, {0}},
    {"sampled", answer, true, sample, 1, NULL, {0}},
    {"sampled_with_call", answer_with_call, true, sample, 2, NULL, {0}},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static void make_app(struct kind *kind)
{
    svc_config config = SVC_CONFIG_INIT;
    svc_sys_exporter exporter = SVC_SYS_EXPORTER_INIT;
    exporter.take = take;
    exporter.sample = kind->sample;
    exporter.arg = kind->sample == sample ? (void *)&all : NULL;
    kind->app = svc_app_new("bench");
    svc_app_configure(kind->app, &config);
    if (kind->exports)
        svc_sys_app_set_exporter(kind->app, &exporter);
    svc_app_get(kind->app, "/hello/{name}", kind->handler, NULL);
    if (svc__app_ready(kind->app) ||
        svc__logger_open(&kind->app->logger, &kind->app->config, open("/dev/null", O_WRONLY), 1))
        exit(1);
}

static bool serve(const struct kind *kind, struct exchange_host *host)
{
    static struct peer client = {.text = "192.0.2.1"};
    static struct transport transport = {.scheme = "http", .peer = &client};
    const struct head head = {svc__bytes_z("GET"),
                              svc__bytes_z("/hello/world"),
                              1,
                              fields,
                              sizeof fields / sizeof *fields,
                              512};
    struct exchange *x = svc__dispatch_new(kind->app->plan, host, &transport, head.target_raw);
    svc__dispatch_head(x, &head);
    svc__dispatch_run(x);
    bool good = x->response.status == 200;
    svc__dispatch_done(x, SVC_COMPLETE, svc__exchange_reply_length(x));
    svc__exchange_unref(x);
    return good;
}

static double run_turn(const struct kind *kind, struct arena_cache *arenas)
{
    static struct svc_loop loop;
    struct log log;
    svc__stalls_watch(kind->app, &loop.watchdog);
    svc__log_init(&log, &kind->app->logger);
    struct exchange_host host = {.arenas = arenas, .log = &log, .loop = &loop, .turn_first_ns = 1};
    svc__buf_init(&host.scratch, 1 << 20);
    double began = cpu_ns();
    for (size_t i = 0; i < REQUESTS; i++)
        if (!serve(kind, &host))
            exit(1);
    double took = cpu_ns() - began;
    svc__buf_free(&host.scratch);
    svc__log_free(&log);
    return took / REQUESTS;
}

int main(void)
{
    pthread_t exporter;
    struct arena_cache arenas;
    svc__arena_cache_init(&arenas, 16);
    for (size_t i = 0; i < KINDS; i++)
        make_app(&kinds[i]);
    if (pthread_create(&exporter, NULL, export_spans, NULL))
        return 1;
    for (size_t turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < KINDS; i++)
            kinds[i].ns[turn] = run_turn(&kinds[i], &arenas);
    ended = true;
    pthread_join(exporter, NULL);
    free_spans();
    double base = median(kinds[0].ns, TURNS);
    for (size_t i = 0; i < KINDS; i++) {
        double more = median(kinds[i].ns, TURNS) - base;
        printf("%s %.0f, %+.0f", kinds[i].name, base + more, more);
        if (kinds[i].spans)
            printf(", %.0f for a span (target %d)", more / (double)kinds[i].spans, SPAN_NS);
        puts("");
    }
    for (size_t i = 0; i < KINDS; i++) {
        svc__logger_close(&kinds[i].app->logger, 1000);
        svc_app_free(kinds[i].app);
    }
    svc__arena_cache_free(&arenas);
    return 0;
}
