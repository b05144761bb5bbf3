/* The arithmetic of delays between tries. */
#include "libsvc/base/backoff.h"

#include "libsvc/base/least.h"

void svc__backoff_init(struct backoff *backoff, uint32_t min_ms, uint32_t max_ms)
{
    backoff->min_ms = min_ms;
    backoff->max_ms = max_ms;
    svc__backoff_reset(backoff);
}

void svc__backoff_reset(struct backoff *backoff)
{
    backoff->ceiling_ms = svc__least_u64((uint64_t)backoff->min_ms * 2, backoff->max_ms);
}

uint32_t svc__backoff_next(struct backoff *backoff, uint64_t random)
{
    uint64_t most = backoff->ceiling_ms, least = most / 2;
    if (least < backoff->min_ms)
        least = backoff->min_ms;
    uint64_t choices = most - least + 1;
    backoff->ceiling_ms = svc__least_u64(most * 2, backoff->max_ms);
    return (uint32_t)(least + (uint64_t)((unsigned __int128)random * choices >> 64));
}
