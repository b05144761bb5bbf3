/*
 * Loops that serve, workers and a thread that answers later end spans at once, while the exporter
 * sends them to a receiver that takes some, refuses some and breaks off: each span is counted once,
 * and none is left.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <svc.h>
#include <svc/otlp.h>

#include "tests/support/receiver.h"

enum { CLIENTS = 4, REQUESTS = 100, SPANS = 3 /* of each request */ };

static const char *const answers[] = {
    RECEIVER_OK,
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    RECEIVER_OK,
    RECEIVER_RESET,
    "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"partialSuccess\":{\"rejectedSpans\":\"1\"}}",
    RECEIVER_OK,
    NULL,
};

static svc_app *app;
static atomic_uint wrong;
static atomic_uint late_threads; /* that run still: the app is freed after them */

static void make_spans(svc_request *req)
{
    svc_span *outer = svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "outer");
    svc_span *inner = svc_span_begin(req, outer, SVC_SPAN_CLIENT, "inner");
    svc_span_set(inner, svc_kv_str("peer", svc_request_peer(req)), svc_kv_int("number", 7));
    svc_span_end(inner);
    if (svc_request_sampled(req))
        svc_span_fail(outer, "sampled", "on purpose");
    svc_span_end(outer);
}

static int answer(svc_request *req, svc_response *res)
{
    make_spans(req);
    return svc_response_text(res, 200, "ok");
}

struct late {
    svc_pending *pending;
    svc_span *span;
};

static void *answer_late(void *arg)
{
    struct late late = *(struct late *)arg;
    free(arg);
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "late");
    svc_span_set(late.span, svc_kv_bool("late", true));
    svc_span_end(late.span);
    svc_pending_complete(late.pending, res);
    svc_pending_unref(late.pending);
    atomic_fetch_sub(&late_threads, 1);
    return NULL;
}

static void ignore_cancel(svc_pending *pending, void *arg)
{
    (void)pending, (void)arg;
}

static int defer(svc_request *req, svc_response *res)
{
    pthread_t thread;
    struct late *late = malloc(sizeof *late);
    (void)res;
    svc_span_end(svc_span_begin(req, NULL, SVC_SPAN_INTERNAL, "first"));
    late->span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "late");
    late->pending = svc_request_defer(req, ignore_cancel, NULL);
    atomic_fetch_add(&late_threads, 1);
    if (!late->pending || pthread_create(&thread, NULL, answer_late, late))
        return SVC_ESYSTEM;
    pthread_detach(thread);
    return 0;
}

/* Sends a request and reads its small reply, which comes by one read or two. */
static bool exchange(int fd, const char *path)
{
    char text[1024];
    size_t len = 0;
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        return false;
    memset(text, 0, sizeof text);
    while (!strstr(text, "\r\n\r\nok") && !strstr(text, "\r\n\r\nlate")) {
        ssize_t got = recv(fd, text + len, sizeof text - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
    }
    return true;
}

static void *ask(void *arg)
{
    static const char *const paths[] = {"/loop", "/worker", "/late"};
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(svc_app_address(app, 0), ':');
    (void)arg;
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = !connect(fd, (struct sockaddr *)&address, sizeof address);
    for (int i = 0; i < REQUESTS && good; i++)
        good = exchange(fd, paths[i % 3]);
    close(fd);
    if (!good)
        atomic_fetch_add(&wrong, 1);
    return NULL;
}

static void build(const char *endpoint)
{
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.log_output = "/dev/null";
    config.threads = 2;
    config.drain_delay_ms = 0;
    config.worker_queue_ms = 600000; /* a busy machine refuses no request */
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, 1);
    setenv("OTEL_BSP_SCHEDULE_DELAY", "1", 1);
    setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16", 1);
    app = svc_app_new("threads");
    svc_app_configure(app, &config);
    svc_otlp_add(app, NULL);
    svc_app_get(app, "/loop", answer, NULL);
    svc_app_get(app, "/late", defer, NULL);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /worker";
    route.handler = answer;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
}

int main(void)
{
    pthread_t clients[CLIENTS];
    struct receiver *receiver = receiver_start(answers);
    svc_otlp_counts counts = SVC_OTLP_COUNTS_INIT;
    build(receiver_url(receiver));
    if (svc_app_start(app)) {
        puts(svc_app_errors(app));
        return 1;
    }
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_create(&clients[i], NULL, ask, NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    svc_app_stop(app);
    int error = svc_app_wait(app);
    svc_otlp_read_counts(app, &counts);
    uint64_t all = counts.sent + counts.rejected + counts.failed + counts.dropped;
    printf("sent %ju, rejected %ju, failed %ju, dropped %ju, queued %ju\n", (uintmax_t)counts.sent,
           (uintmax_t)counts.rejected, (uintmax_t)counts.failed, (uintmax_t)counts.dropped,
           (uintmax_t)counts.queued);
    bool good = !error && !wrong && counts.sent > 0 && counts.rejected > 0 && !counts.queued &&
                all == CLIENTS * REQUESTS * SPANS;
    while (good && atomic_load(&late_threads))
        sched_yield();
    svc_app_free(app);
    receiver_stop(receiver);
    return good ? 0 : 1;
}
