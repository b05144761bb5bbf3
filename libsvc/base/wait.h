/* Waits for another thread on a condition, until a deadline on the monotonic clock. */
#ifndef SVC_BASE_WAIT_H
#define SVC_BASE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { WAIT_NOT = 0 };             /* a deadline that has always passed */
#define WAIT_FOR_EVER (UINT64_MAX) /* one that never comes */

/*
 * The longest sleep of a thread that others wake by a descriptor. It then looks by itself, since a
 * failed write to the descriptor would otherwise lose a wake-up for good.
 */
enum { WAIT_LOOK_MS = 1000 };

/* The deadline (of svc__clock_ms) that is at least `ms` milliseconds from now. Any thread. */
uint64_t svc__wait_deadline(unsigned ms);

/* The timeout for an epoll_wait that is to end in `ms` milliseconds; -1 for ever. A timeout of 128
 * or more is shortened by less than a hundredth, and the caller waits again: Linux may end a wait
 * late by a thousandth of it, and by five in a process of low priority. Any thread. */
int svc__wait_epoll_ms(int64_t ms);

/*
 * Waits, with `lock` held, until another thread signals `changed`, or returns without a reason: the
 * caller checks its condition again. False when the deadline has passed, which for WAIT_NOT costs
 * nothing. `changed` was made by PTHREAD_COND_INITIALIZER.
 */
bool svc__wait_until(pthread_cond_t *changed, pthread_mutex_t *lock, uint64_t deadline_ms);

#endif
