/* Batches, their repetitions, and the end. */
#define SVC_LOG_MODULE "otlp"
#include "libsvc/otlp/otlp_export.h"

#include <signal.h>
#include <stdlib.h>

#include "libsvc/otlp/otlp_gzip.h"
#include "libsvc/otlp/otlp_json.h"
#include "libsvc/otlp/otlp_verdict.h"

enum {
    JSON_MOST = 16 << 20,  /* of a request; the protocol has receivers take 64 MiB */
    JSON_ENOUGH = 4 << 20, /* no further span is added to it */
    BACKOFF_FIRST_MS =
        1000, /* the wait before the first repetition, by chance up to half more or less */
    BACKOFF_MOST_MS = 16000,
    DROPS_LOG_MS = 10000 /* between two lines about spans that were dropped */
};

static void count_spans(struct otlp_export *otlp, enum otlp_result result, uint64_t count)
{
    atomic_fetch_add(&otlp->counts[result], count);
    svc_counter_add(otlp->counters[result], count);
}

/* ---- From threads that serve */

void svc__otlp_export_take(void *arg, svc_sys_span *span)
{
    struct otlp_export *otlp = arg;
    svc_gauge_add(otlp->queued, 1); /* before the thread can take it away */
    size_t count = svc__otlp_queue_push(&otlp->queue, span);
    if (!count) {
        svc_gauge_add(otlp->queued, -1);
        count_spans(otlp, OTLP_DROPPED, 1);
    } else if (count == otlp->config.batch_max)
        svc__otlp_http_wake(otlp->http);
}

void svc__otlp_export_lose(void *arg)
{
    struct otlp_export *otlp = arg;
    count_spans(otlp, OTLP_DROPPED, 1);
}

/* ---- A batch */

static uint64_t deadline_of(const struct otlp_export *otlp, uint64_t began_ms)
{
    uint64_t deadline = began_ms + otlp->config.batch_timeout_ms;
    uint64_t stop = atomic_load(&otlp->stop_ms);
    return stop && stop < deadline ? stop : deadline;
}

static uint64_t time_left(const struct otlp_export *otlp, uint64_t began_ms)
{
    uint64_t now = svc__otlp_clock_ms(), deadline = deadline_of(otlp, began_ms);
    return now < deadline ? deadline - now : 0;
}

/* The first of those that wait go into a request, as many as it may have. Returns how many; one
 * that does not fit by itself is alone, and the text has failed. */
static size_t write_batch(struct otlp_export *otlp)
{
    const struct otlp_config *config = &otlp->config;
    struct otlp_text *text = &otlp->json.text;
    size_t count = 0;
    text->ceiling = JSON_MOST;
    svc__otlp_json_begin(&otlp->json, config->resource, config->resource_count);
    const svc_sys_span *span = otlp->waiting;
    for (; span && count < config->batch_max && text->len < JSON_ENOUGH; span = span->next) {
        size_t before = text->len;
        svc__otlp_json_span(&otlp->json, span);
        if (text->failed && count > 0) { /* it begins the next request */
            text->failed = false;
            text->len = before;
            break;
        }
        count++;
        if (text->failed)
            break;
    }
    svc__otlp_json_end(&otlp->json);
    return count;
}

static void free_batch(struct otlp_export *otlp, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        svc_sys_span *span = otlp->waiting;
        otlp->waiting = span->next;
        svc_sys_span_free(span);
    }
    if (!otlp->waiting)
        otlp->waiting_end = &otlp->waiting;
    otlp->waiting_count -= count;
    svc__otlp_queue_done(&otlp->queue, count);
    svc_gauge_add(otlp->queued, -(double)count);
}

/* Its result; only a change of it is news. */
static void log_result(struct otlp_export *otlp, enum otlp_verdict verdict,
                       const struct otlp_answer *answer, const struct otlp_rejection *rejection)
{
    bool taken = verdict == OTLP_TAKEN, news = otlp->failing == taken;
    otlp->failing = !taken;
    if (!taken && news)
        svc_app_log_warn(otlp->app, "spans cannot be exported",
                         svc_kv_str("url", otlp->config.shown_url),
                         svc_kv_int("status", answer->status), svc_kv_str("error", answer->error));
    else if (taken && news)
        svc_app_log_info(otlp->app, "spans are exported again",
                         svc_kv_uint("failed", atomic_load(&otlp->counts[OTLP_FAILED])),
                         svc_kv_uint("dropped", atomic_load(&otlp->counts[OTLP_DROPPED])));
    if (taken && (rejection->count || *rejection->message))
        svc_app_log_warn(otlp->app, "the receiver has rejected spans",
                         svc_kv_uint("spans", rejection->count),
                         svc_kv_str("error", rejection->message));
}

/* Half of it at least, and up to that much more by chance, so that those that failed together do
 * not come back together. The low bits of a clock are chance enough. */
static uint64_t spread_wait(uint64_t ms)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ms / 2 + (uint64_t)now.tv_nsec / 1000 % (ms + 1);
}

/* Sleeps until then or the deadline, whichever a stop has not brought forward. Whether time is
 * left. */
static bool sleep_until(struct otlp_export *otlp, uint64_t until_ms, uint64_t began_ms)
{
    for (;;) {
        uint64_t now = svc__otlp_clock_ms(), left = time_left(otlp, began_ms);
        if (now >= until_ms || now + left <= until_ms)
            return left > 0 && now >= until_ms;
        svc__otlp_http_sleep(otlp->http, until_ms - now);
    }
}

static enum otlp_verdict post_batch(struct otlp_export *otlp, const struct otlp_text *body,
                                    size_t count, uint64_t began_ms, uint64_t *wait_ms)
{
    uint64_t left = time_left(otlp, began_ms), timeout = otlp->config.timeout_ms;
    struct otlp_answer answer;
    struct otlp_rejection rejection;
    svc__otlp_http_post(otlp->http, body, left < timeout ? left + 1 : timeout, &otlp->stop_ms,
                        &answer);
    enum otlp_verdict verdict = svc__otlp_verdict_read(
        answer.status, answer.body.data, answer.is_whole ? answer.body.len : 0, count, &rejection);
    log_result(otlp, verdict, &answer, &rejection);
    svc__otlp_text_free(&answer.body);
    uint64_t rejected = verdict == OTLP_REFUSED ? count : rejection.count;
    count_spans(otlp, OTLP_REJECTED, rejected);
    count_spans(otlp, OTLP_SENT, verdict == OTLP_TAKEN ? count - rejected : 0);
    if (answer.retry_after_ms) {
        *wait_ms = answer.retry_after_ms;
        otlp->quiet_until_ms = svc__otlp_clock_ms() + *wait_ms;
    }
    return verdict;
}

/* Sends a body until it is taken, refused, or the time for it is over. Whether the receiver has
 * decided. */
static bool deliver_batch(struct otlp_export *otlp, const struct otlp_text *body, size_t count)
{
    uint64_t began_ms = svc__otlp_clock_ms(), backoff_ms = BACKOFF_FIRST_MS;
    if (!sleep_until(otlp, otlp->quiet_until_ms, began_ms))
        return false;
    for (;;) {
        uint64_t wait_ms = spread_wait(backoff_ms);
        if (post_batch(otlp, body, count, began_ms, &wait_ms) != OTLP_AGAIN)
            return true;
        if (!sleep_until(otlp, svc__otlp_clock_ms() + wait_ms, began_ms))
            return false;
        backoff_ms = backoff_ms * 2 < BACKOFF_MOST_MS ? backoff_ms * 2 : BACKOFF_MOST_MS;
    }
}

/* Returns how many spans it had. */
static size_t send_batch(struct otlp_export *otlp)
{
    size_t count = write_batch(otlp);
    const struct otlp_text *body = &otlp->json.text;
    bool written = !body->failed;
    if (written && otlp->config.gzip) {
        otlp->gzip.ceiling = JSON_MOST;
        svc__otlp_text_clear(&otlp->gzip);
        written = svc__otlp_gzip_write(body, &otlp->gzip);
        body = &otlp->gzip;
    }
    if (!written)
        count_spans(otlp, OTLP_DROPPED, count);
    else if (!deliver_batch(otlp, body, count))
        count_spans(otlp, OTLP_FAILED, count);
    free_batch(otlp, count);
    return count;
}

/* ---- The thread */

static void take_news(struct otlp_export *otlp)
{
    *otlp->waiting_end = svc__otlp_queue_take(&otlp->queue);
    for (; *otlp->waiting_end; otlp->waiting_end = &(*otlp->waiting_end)->next)
        otlp->waiting_count++;
}

static void log_drops(struct otlp_export *otlp, bool at_end)
{
    uint64_t dropped = atomic_load(&otlp->counts[OTLP_DROPPED]), now = svc__otlp_clock_ms();
    if (dropped == otlp->dropped_logged || (!at_end && now < otlp->drops_logged_ms + DROPS_LOG_MS))
        return;
    svc_app_log_warn(otlp->app, "spans were dropped",
                     svc_kv_uint("spans", dropped - otlp->dropped_logged),
                     svc_kv_uint("queue_max", otlp->config.queue_max));
    otlp->dropped_logged = dropped;
    otlp->drops_logged_ms = now;
}

/* Until there is a full batch, the delay is over, or a stop was asked for. Whether it is a batch.
 */
static bool await_batch(struct otlp_export *otlp)
{
    uint64_t until_ms = svc__otlp_clock_ms() + otlp->config.delay_ms;
    for (;;) {
        uint64_t now = svc__otlp_clock_ms();
        if (now >= until_ms || atomic_load(&otlp->stopping))
            return false;
        if (atomic_load(&otlp->queue.count) >= otlp->config.batch_max)
            return true;
        svc__otlp_http_sleep(otlp->http, until_ms - now);
    }
}

/* Sends full batches, and first `due` spans. The others wait for more: the CPU of a request is that
 * of many spans. */
static void send_batches(struct otlp_export *otlp, size_t due)
{
    while (due > 0 || otlp->waiting_count >= otlp->config.batch_max) {
        size_t sent = send_batch(otlp);
        due -= sent < due ? sent : due;
        take_news(otlp);
    }
}

static void *export_spans(void *arg)
{
    struct otlp_export *otlp = arg;
    bool last = false;
    pthread_setname_np(pthread_self(), "svc-otlp");
    while (!last) {
        bool full = await_batch(otlp);
        last = atomic_load(&otlp->stopping); /* all spans have ended before */
        take_news(otlp);
        send_batches(otlp, full && !last ? 0 : otlp->waiting_count);
        log_drops(otlp, last);
    }
    return NULL;
}

int svc__otlp_export_start(struct otlp_export *otlp)
{
    sigset_t most, before;
    otlp->waiting_end = &otlp->waiting;
    otlp->http = svc__otlp_http_new(&otlp->config);
    if (!otlp->http)
        return SVC_ENOMEM;
    sigfillset(&most);
    sigdelset(&most, SIGPROF); /* else the time of this thread counts as another's in profiles */
    pthread_sigmask(SIG_SETMASK, &most, &before);
    int error = pthread_create(&otlp->thread, NULL, export_spans, otlp);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!error)
        return 0;
    svc__otlp_http_free(otlp->http);
    otlp->http = NULL;
    return SVC_ESYSTEM;
}

void svc__otlp_export_stop(struct otlp_export *otlp)
{
    atomic_store(&otlp->stop_ms, svc__otlp_clock_ms() + otlp->config.flush_ms);
    atomic_store(&otlp->stopping, true);
    svc__otlp_http_wake(otlp->http);
    pthread_join(otlp->thread, NULL);
    size_t left = svc__otlp_queue_close(&otlp->queue);
    count_spans(otlp, OTLP_DROPPED, left);
    svc_gauge_add(otlp->queued, -(double)left);
    svc__otlp_http_free(otlp->http);
    otlp->http = NULL;
    svc__otlp_text_free(&otlp->json.text);
    svc__otlp_text_free(&otlp->gzip);
}
