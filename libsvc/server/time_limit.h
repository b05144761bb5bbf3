/*
 * The time that a connection or an exchange may take for what it is about, kept by one timer on its
 * loop's wheel. Where that has to look at something on the way, the timer comes early for a look.
 *
 * For the loop's thread.
 */
#ifndef SVC_SERVER_TIME_LIMIT_H
#define SVC_SERVER_TIME_LIMIT_H

#include "libsvc/server/loop.h"

struct time_limit {
    struct deadline deadline; /* first; its function is the owner's to set */
    uint64_t since_ms;        /* by the loop's clock */
    uint64_t due_ms;          /* the end of the time; the timer may be set earlier, for a look */
};

/* Begins a time of `ms`, counted from `since_ms`; the first look is `look_ms` after that, 0: none.
 */
static inline void svc__time_limit_begin(struct loop *loop, struct time_limit *limit,
                                         uint64_t since_ms, uint64_t ms, uint64_t look_ms)
{
    limit->since_ms = since_ms;
    limit->due_ms = since_ms + ms;
    uint64_t first = look_ms && look_ms < ms ? since_ms + look_ms : limit->due_ms;
    svc__wheel_set(&loop->wheel, &limit->deadline.timer, first);
}

/* Whether the time is not over: the timer has come for a look. */
static inline bool svc__time_limit_looks(const struct loop *loop, const struct time_limit *limit)
{
    return loop->now_ms < limit->due_ms;
}

/* Has the timer come at the end of the time, or in `look_ms` if that is before. */
void svc__time_limit_await(struct loop *loop, struct time_limit *limit, uint64_t look_ms);

/* Has the time end in `ms` from now; 0: it is over, and no timer will come. */
void svc__time_limit_end_in(struct loop *loop, struct time_limit *limit, uint64_t ms);

/* Moves the end up to `ms` from now, if it is later. */
void svc__time_limit_hurry(struct loop *loop, struct time_limit *limit, uint64_t ms);

/* Ends the time limit without a call of its function. */
void svc__time_limit_cancel(struct loop *loop, struct time_limit *limit);

static inline struct time_limit *svc__time_limit_of(struct deadline *deadline)
{
    return (struct time_limit *)(void *)deadline;
}

#endif
