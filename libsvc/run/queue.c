/* The bounded queue: a ring under one lock, whose waiters are woken one for each item or place. */
#include <svc/queue.h>

#include <stdlib.h>

#include "libsvc/base/wait.h"
#include "libsvc/run/reactor.h"

struct svc_queue {
    pthread_mutex_t lock;
    pthread_cond_t item_came, room_came;
    void (*drop)(void *item);
    size_t capacity, len, first; /* first: the index of the oldest */
    bool closed;
    void *items[];
};

svc_queue *svc_queue_new(size_t capacity, void (*drop)(void *item))
{
    if (capacity < 1 || capacity > SVC_QUEUE_MAX)
        return NULL;
    svc_queue *queue = malloc(sizeof *queue + capacity * sizeof *queue->items);
    if (!queue)
        return NULL;
    *queue = (svc_queue){.lock = PTHREAD_MUTEX_INITIALIZER,
                         .item_came = PTHREAD_COND_INITIALIZER,
                         .room_came = PTHREAD_COND_INITIALIZER,
                         .drop = drop,
                         .capacity = capacity};
    return queue;
}

static void *take_first(svc_queue *queue)
{
    void *item = queue->items[queue->first];
    queue->first = queue->first + 1 < queue->capacity ? queue->first + 1 : 0;
    queue->len--;
    return item;
}

static void put_last(svc_queue *queue, void *item)
{
    size_t at = queue->first + queue->len;
    queue->items[at < queue->capacity ? at : at - queue->capacity] = item;
    queue->len++;
}

void svc_queue_free(svc_queue *queue)
{
    if (!queue)
        return;
    while (queue->len > 0 && queue->drop)
        queue->drop(take_first(queue));
    pthread_cond_destroy(&queue->item_came);
    pthread_cond_destroy(&queue->room_came);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* The deadline of a wait: an event loop does not wait at all, since it may be the thread that has
 * to move the queue. `*refused` is the error for a queue that cannot be used at once. */
static uint64_t limit_wait(uint64_t deadline_ms, int *refused)
{
    bool waits = deadline_ms != WAIT_NOT && svc__reactor_on_loop();
    *refused = waits ? SVC_ESTATE : SVC_EAGAIN;
    return waits ? WAIT_NOT : deadline_ms;
}

/* Signals without the lock: the woken thread would wait for it at once. */
static int push(svc_queue *queue, void *item, uint64_t deadline_ms)
{
    if (!queue || !item)
        return queue ? SVC_EINVAL : SVC_ENOMEM;
    int refused;
    deadline_ms = limit_wait(deadline_ms, &refused);
    pthread_mutex_lock(&queue->lock);
    while (queue->len == queue->capacity && !queue->closed &&
           svc__wait_until(&queue->room_came, &queue->lock, deadline_ms))
        continue;
    int error = queue->closed ? SVC_ECLOSED : queue->len == queue->capacity ? refused : 0;
    if (!error)
        put_last(queue, item);
    pthread_mutex_unlock(&queue->lock);
    if (!error)
        pthread_cond_signal(&queue->item_came);
    return error;
}

static int pop(svc_queue *queue, void **item, uint64_t deadline_ms)
{
    if (!queue)
        return SVC_ENOMEM;
    int refused;
    deadline_ms = limit_wait(deadline_ms, &refused);
    pthread_mutex_lock(&queue->lock);
    while (queue->len == 0 && !queue->closed &&
           svc__wait_until(&queue->item_came, &queue->lock, deadline_ms))
        continue;
    int error = queue->len > 0 ? 0 : queue->closed ? SVC_ECLOSED : refused;
    if (!error)
        *item = take_first(queue);
    pthread_mutex_unlock(&queue->lock);
    if (!error)
        pthread_cond_signal(&queue->room_came);
    return error;
}

int svc_queue_push(svc_queue *queue, void *item)
{
    return push(queue, item, WAIT_FOR_EVER);
}

int svc_queue_push_within(svc_queue *queue, void *item, unsigned ms)
{
    return push(queue, item, svc__wait_deadline(ms));
}

int svc_queue_try_push(svc_queue *queue, void *item)
{
    return push(queue, item, WAIT_NOT);
}

int svc_queue_pop(svc_queue *queue, void **item)
{
    return pop(queue, item, WAIT_FOR_EVER);
}

int svc_queue_pop_within(svc_queue *queue, void **item, unsigned ms)
{
    return pop(queue, item, svc__wait_deadline(ms));
}

int svc_queue_try_pop(svc_queue *queue, void **item)
{
    return pop(queue, item, WAIT_NOT);
}

void svc_queue_close(svc_queue *queue)
{
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_broadcast(&queue->item_came);
    pthread_cond_broadcast(&queue->room_came);
}

size_t svc_queue_len(svc_queue *queue)
{
    if (!queue)
        return 0;
    pthread_mutex_lock(&queue->lock);
    size_t len = queue->len;
    pthread_mutex_unlock(&queue->lock);
    return len;
}
