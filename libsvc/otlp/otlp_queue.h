/* The queue between threads that serve and the one that exports: bounded, without a lock. */
#ifndef SVC_OTLP_OTLP_QUEUE_H
#define SVC_OTLP_OTLP_QUEUE_H

#include <stdatomic.h>

#include <svc/sys/span.h>

struct otlp_queue {
    _Atomic(svc_sys_span *) latest; /* linked by their `next` */
    _Atomic size_t count;           /* of those in the queue, and those taken and not done with */
    _Atomic bool closed;            /* nobody takes any more */
    size_t most;
};

/* Takes a span over: how many there are with it, or 0 when there is no room, and then it is freed.
 * Any thread. */
size_t svc__otlp_queue_push(struct otlp_queue *queue, svc_sys_span *span);

/* All that are in the queue, the oldest first; they count until svc__otlp_queue_done. One thread.
 */
svc_sys_span *svc__otlp_queue_take(struct otlp_queue *queue);

/* So many that were taken are done with. */
void svc__otlp_queue_done(struct otlp_queue *queue, size_t count);

/* Frees the spans in the queue, and from now on those that come. Returns how many were freed. */
size_t svc__otlp_queue_close(struct otlp_queue *queue);

#endif
