/* The clock that only goes forward, waiting until a time on it, and times between attempts. */
#ifndef SVC_REDIS_REDIS_TIME_H
#define SVC_REDIS_REDIS_TIME_H

#include <stdint.h>

/* Milliseconds; not 0. Any thread. */
uint64_t svc__redis_time_ms(void);

/* Waits until one of `events` of poll(2) has come for `fd`. 0; SVC_ETIMEDOUT at `deadline_ms`;
 * SVC_ECANCELLED when `stop_fd`, unless it is -1, is readable. */
int svc__redis_time_poll(int fd, short events, uint64_t deadline_ms, int stop_fd);

/*
 * How long to wait before the next attempt, after so many that have failed: 50 ms, twice as long
 * each time, up to 5 s; of that, a random part of up to a half is left out, so that many services
 * do not come at once. `seed` is any number that differs between them.
 */
uint64_t svc__redis_time_backoff(unsigned failed, uint64_t seed);

#endif
