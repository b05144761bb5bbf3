/*
 * A bounded queue of pointers between threads, such as handlers and background tasks, like a buffered
 * channel in Go. Any number of threads push and pop at once; items are popped in the order of pushes (FIFO).
 *
 *     svc_queue *mails = svc_queue_new(1000, free);
 *     if (svc_queue_try_push(mails, mail))        (in a handler: full is an answer, such as 503)
 *         …
 *     while (!svc_queue_pop(mails, &item))        (in a task: until it is closed and empty)
 *         …
 *
 * The pushing side closes the queue after its last item: pops take the remaining items, and then fail. All
 * calls accept NULL, which svc_queue_new may return: pushes and pops then return SVC_ENOMEM.
 * docs/tasks.md shows a queue between handlers and a task through a whole shutdown.
 */
#ifndef SVC_QUEUE_H
#define SVC_QUEUE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_queue svc_queue;

/* The largest capacity. Memory for all items, a pointer each, is allocated at once and touched as items
 * come. */
enum { SVC_QUEUE_MAX = 1 << 24 };

/*
 * Makes a queue of at most `capacity` items, 1 to SVC_QUEUE_MAX. `drop`, which may be NULL, is called for
 * each remaining item when the queue is freed. Owned by the caller. NULL for another capacity or when out of
 * memory. Any thread. Since: 0.1
 */
SVC_API svc_queue *svc_queue_new(size_t capacity, void (*drop)(void *item)) SVC_MUST_CHECK;

/*
 * Frees a queue, and by `drop` its remaining items. No other call on it may be under way or follow: close it
 * first, and join the threads that use it. Accepts NULL. Since: 0.1
 */
SVC_API void svc_queue_free(svc_queue *queue);

/*
 * Adds an item, and waits for room while the queue is full. On success the queue owns the item, otherwise
 * the caller keeps it. 0, SVC_EINVAL for NULL, or SVC_ECLOSED, also when the queue is closed while this
 * waits. On an event loop, SVC_ESTATE if it would wait: use svc_queue_try_push there. Any thread. Since: 0.1
 */
SVC_API int svc_queue_push(svc_queue *queue, void *item) SVC_MUST_CHECK;

/* As svc_queue_push, but waits for `ms` milliseconds at most: SVC_EAGAIN when there was no room;
 * on an event loop as svc_queue_push. Any thread. Since: 0.1 */
SVC_API int svc_queue_push_within(svc_queue *queue, void *item, unsigned ms) SVC_MUST_CHECK;

/* As svc_queue_push, but SVC_EAGAIN at once when the queue is full. For event loops too: it waits only for
 * a lock that is held for a few instructions, and makes no system call unless a thread waits for an item.
 * Any thread. Since: 0.1 */
SVC_API int svc_queue_try_push(svc_queue *queue, void *item) SVC_MUST_CHECK;

/*
 * Takes the oldest item, and waits for one while the queue is empty. `item` is set only on success, is
 * never NULL, and is owned by the caller. 0, or SVC_ECLOSED when the queue is closed and empty, also when it
 * becomes so while this waits; SVC_ESTATE on an event loop if it would wait. Any thread. Since: 0.1
 */
SVC_API int svc_queue_pop(svc_queue *queue, void **item) SVC_MUST_CHECK;

/* As svc_queue_pop, but waits for `ms` milliseconds at most: SVC_EAGAIN when nothing came;
 * on an event loop as svc_queue_pop. Any thread. Since: 0.1 */
SVC_API int svc_queue_pop_within(svc_queue *queue, void **item, unsigned ms) SVC_MUST_CHECK;

/* As svc_queue_pop, but SVC_EAGAIN at once when the queue is empty and open. Any thread. Since: 0.1
 */
SVC_API int svc_queue_try_pop(svc_queue *queue, void **item) SVC_MUST_CHECK;

/*
 * Closes the queue for good: pushes fail, pops take the remaining items and then fail, and waiting threads
 * wake. Closing it again does nothing. Any thread. Since: 0.1
 */
SVC_API void svc_queue_close(svc_queue *queue);

/* The number of items in the queue; it may have changed by the time this returns. Any thread. Since: 0.1 */
SVC_API size_t svc_queue_len(svc_queue *queue);

SVC_END_DECLS

#endif
