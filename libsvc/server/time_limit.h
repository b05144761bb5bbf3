/*
 * The time that a phase of a connection or an exchange may take, kept by one timer on its loop's
 * wheel. If something must be checked on the way, the timer also comes earlier, for a look.
 *
 * For the loop's thread.
 */
#ifndef SVC_SERVER_TIME_LIMIT_H
#define SVC_SERVER_TIME_LIMIT_H

#include "libsvc/server/loop.h"

struct time_limit {
    struct deadline deadline; /* first; the owner sets its function */
    uint64_t since_ms;        /* by the loop's clock */
    uint64_t due_ms;          /* the end of the time; the timer may be set earlier, for a look */
};

/* Begins a time of `ms`, counted from `since_ms`; the first look is `look_ms` later, 0: none. */
static inline void svc__time_limit_begin(struct loop *loop, struct time_limit *limit,
                                         uint64_t since_ms, uint64_t ms, uint64_t look_ms)
{
    limit->since_ms = since_ms;
    limit->due_ms = since_ms + ms;
    uint64_t first = look_ms && look_ms < ms ? since_ms + look_ms : limit->due_ms;
    svc__wheel_set(&loop->wheel, &limit->deadline.timer, first);
}

/* Whether the timer has come for a look: the time is not over. */
static inline bool svc__time_limit_looks(const struct loop *loop, const struct time_limit *limit)
{
    return loop->now_ms < limit->due_ms;
}

/* Sets the timer to the end of the time, or to a look in `look_ms` if that is earlier. */
void svc__time_limit_await(struct loop *loop, struct time_limit *limit, uint64_t look_ms);

/* Moves the end to `ms` from now. 0: the time is over, and no timer will come. */
void svc__time_limit_end_in(struct loop *loop, struct time_limit *limit, uint64_t ms);

/* Moves the end to `ms` from now if it is later than that. */
void svc__time_limit_hurry(struct loop *loop, struct time_limit *limit, uint64_t ms);

/* Ends the time limit without a call of its function. */
void svc__time_limit_cancel(struct loop *loop, struct time_limit *limit);

static inline struct time_limit *svc__time_limit_of(struct deadline *deadline)
{
    return (struct time_limit *)(void *)deadline;
}

#endif
