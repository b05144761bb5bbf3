/* A stack that is taken as a whole, so that a push is one compare and swap and nothing can be
 * reused under it. */
#include "libsvc/otlp/otlp_queue.h"

#include <stddef.h>

static size_t free_all(struct otlp_queue *queue)
{
    size_t count = 0;
    svc_sys_span *span = atomic_exchange_explicit(&queue->latest, NULL, memory_order_acquire);
    for (; span; count++) {
        svc_sys_span *next = span->next;
        svc_sys_span_free(span);
        span = next;
    }
    svc__otlp_queue_done(queue, count);
    return count;
}

size_t svc__otlp_queue_push(struct otlp_queue *queue, svc_sys_span *span)
{
    size_t count = atomic_fetch_add_explicit(&queue->count, 1, memory_order_relaxed) + 1;
    if (count > queue->most || atomic_load_explicit(&queue->closed, memory_order_relaxed)) {
        svc__otlp_queue_done(queue, 1);
        svc_sys_span_free(span);
        return 0;
    }
    svc_sys_span *latest = atomic_load_explicit(&queue->latest, memory_order_relaxed);
    do
        span->next = latest;
    while (!atomic_compare_exchange_weak(&queue->latest, &latest, span));
    if (atomic_load(&queue->closed)) /* since: either this sees it, or the close saw the span */
        free_all(queue);
    return count;
}

svc_sys_span *svc__otlp_queue_take(struct otlp_queue *queue)
{
    svc_sys_span *span = atomic_exchange_explicit(&queue->latest, NULL, memory_order_acquire);
    svc_sys_span *oldest = NULL;
    while (span) {
        svc_sys_span *next = span->next;
        span->next = oldest;
        oldest = span;
        span = next;
    }
    return oldest;
}

void svc__otlp_queue_done(struct otlp_queue *queue, size_t count)
{
    atomic_fetch_sub_explicit(&queue->count, count, memory_order_release);
}

size_t svc__otlp_queue_close(struct otlp_queue *queue)
{
    atomic_store(&queue->closed, true);
    return free_all(queue);
}
