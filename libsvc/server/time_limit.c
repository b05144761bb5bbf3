/* Time limits on a loop's wheel. */
#include "libsvc/server/time_limit.h"

#include "libsvc/base/least.h"

void svc__time_limit_await(struct loop *loop, struct time_limit *limit, uint64_t look_ms)
{
    uint64_t due_ms = svc__least_u64(loop->now_ms + look_ms, limit->due_ms);
    svc__wheel_set(&loop->wheel, &limit->deadline.timer, due_ms);
}

void svc__time_limit_end_in(struct loop *loop, struct time_limit *limit, uint64_t ms)
{
    limit->due_ms = loop->now_ms + ms;
    if (ms)
        svc__wheel_set(&loop->wheel, &limit->deadline.timer, limit->due_ms);
}

void svc__time_limit_hurry(struct loop *loop, struct time_limit *limit, uint64_t ms)
{
    uint64_t due = loop->now_ms + ms;
    if (limit->due_ms > due)
        limit->due_ms = due;
    if (limit->deadline.timer.due > limit->due_ms)
        svc__wheel_set(&loop->wheel, &limit->deadline.timer, limit->due_ms);
}

void svc__time_limit_cancel(struct loop *loop, struct time_limit *limit)
{
    svc__wheel_cancel(&loop->wheel, &limit->deadline.timer);
}
