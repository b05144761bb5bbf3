/* Waiting for another thread on a condition, until a deadline on the clock that nobody sets. */
#ifndef SVC_BASE_WAIT_H
#define SVC_BASE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { WAIT_NOT = 0 };             /* a deadline that has always passed */
#define WAIT_FOR_EVER (UINT64_MAX) /* one that never comes */

/*
 * How long a thread sleeps at most that others wake by a descriptor, and then looks by itself. A
 * write that fails there would otherwise be a wake-up lost for good.
 */
enum { WAIT_LOOK_MS = 1000 };

/* The deadline (of svc__clock_ms) before which `ms` milliseconds have not passed. Any thread. */
uint64_t svc__wait_deadline(unsigned ms);

/* The timeout for an epoll_wait that is to end in `ms` milliseconds; -1 for ever. Of 128 or more,
 * less than a hundredth is left out, so that the caller asks again: Linux may end a wait later than
 * it was told by a thousandth of it, and by five in a process of low priority. Any thread. */
int svc__wait_epoll_ms(int64_t ms);

/*
 * Waits, with `lock` held, until somebody signals `changed`, or for no reason: the caller looks
 * again at what it waits for. False when the deadline has passed, which for WAIT_NOT costs nothing.
 * `changed` is one that PTHREAD_COND_INITIALIZER has made.
 */
bool svc__wait_until(pthread_cond_t *changed, pthread_mutex_t *lock, uint64_t deadline_ms);

#endif
