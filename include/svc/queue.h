/*
 * A bounded queue of pointers between threads, such as handlers and background tasks: what a
 * buffered channel is in Go. Any number of threads push and pop at once; what was pushed first is
 * popped first.
 *
 *     svc_queue *mails = svc_queue_new(1000, free);
 *     if (svc_queue_try_push(mails, mail))        (in a handler: full is an answer, such as 503)
 *         …
 *     while (!svc_queue_pop(mails, &item))        (in a task: until it is closed and empty)
 *         …
 *
 * Closing is how the pushing side says that nothing more comes: pops take what is left, and then
 * fail. All calls accept NULL, which svc_queue_new may return: pushes and pops are then SVC_ENOMEM.
 * docs/tasks.md shows a queue between handlers and a task through a whole shutdown.
 */
#ifndef SVC_QUEUE_H
#define SVC_QUEUE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_queue svc_queue;

/* The largest capacity. Memory is taken for all of it at once, a pointer each, and is touched as
 * items come. */
enum { SVC_QUEUE_MAX = 1 << 24 };

/*
 * Makes a queue of at most `capacity` items, 1 to SVC_QUEUE_MAX. `drop`, which may be NULL, is
 * given what is left in it when it is freed. NULL for another capacity or when out of memory. The
 * caller's. Any thread. Since: 0.1
 */
SVC_API svc_queue *svc_queue_new(size_t capacity, void (*drop)(void *item)) SVC_MUST_CHECK;

/*
 * Frees a queue, and by `drop` what is left in it. No call on it may be under way in another
 * thread, nor follow: close it first, and join who uses it. Accepts NULL. Since: 0.1
 */
SVC_API void svc_queue_free(svc_queue *queue);

/*
 * Adds an item, and waits for room while the queue is full. The item is the queue's on success and
 * stays the caller's otherwise. 0, SVC_EINVAL for NULL, or SVC_ECLOSED, also when the queue is
 * closed while this waits. On an event loop, which has svc_queue_try_push, SVC_ESTATE where it would
 * wait. Any thread. Since: 0.1
 */
SVC_API int svc_queue_push(svc_queue *queue, void *item);

/* As svc_queue_push, but waits for `ms` milliseconds at most: SVC_EAGAIN when there was no room;
 * on an event loop as svc_queue_push. Any thread. Since: 0.1 */
SVC_API int svc_queue_push_within(svc_queue *queue, void *item, unsigned ms);

/* As svc_queue_push, but SVC_EAGAIN at once when the queue is full. For event loops too: it waits
 * for nothing but a lock that is held for some instructions, and makes no system call where nobody
 * waits for an item. Any thread. Since: 0.1 */
SVC_API int svc_queue_try_push(svc_queue *queue, void *item);

/*
 * Takes the oldest item, and waits for one while the queue is empty. `item` is set on success
 * alone, is never NULL, and is the caller's. 0, or SVC_ECLOSED when the queue is closed and nothing
 * is left, also when that comes about while this waits; SVC_ESTATE on an event loop where it would wait.
 * Any thread. Since: 0.1
 */
SVC_API int svc_queue_pop(svc_queue *queue, void **item);

/* As svc_queue_pop, but waits for `ms` milliseconds at most: SVC_EAGAIN when nothing came;
 * on an event loop as svc_queue_pop. Any thread. Since: 0.1 */
SVC_API int svc_queue_pop_within(svc_queue *queue, void **item, unsigned ms);

/* As svc_queue_pop, but SVC_EAGAIN at once when the queue is empty and open. Any thread. Since: 0.1
 */
SVC_API int svc_queue_try_pop(svc_queue *queue, void **item);

/*
 * Closes the queue: nothing more can be pushed, pops take what is left and then fail, and whoever
 * waits is woken. There is no way back; to close twice does nothing. Any thread. Since: 0.1
 */
SVC_API void svc_queue_close(svc_queue *queue);

/* How many items are in the queue, which may be another number by the time this returns. Any
 * thread. Since: 0.1 */
SVC_API size_t svc_queue_len(svc_queue *queue);

SVC_END_DECLS

#endif
