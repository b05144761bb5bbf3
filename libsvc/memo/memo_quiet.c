#include "libsvc/memo/memo_quiet.h"

/* The end of a slot has 42 bits, which is 139 years of milliseconds. */
static const uint64_t end_mask = (UINT64_C(1) << 42) - 1;

static uint64_t slot_of(uint64_t hash)
{
    return hash % MEMO_QUIET_SLOTS;
}

void svc__memo_quiet_keep(struct memo_quiet *quiet, uint64_t hash, uint64_t until_ms)
{
    atomic_store_explicit(&quiet->slots[slot_of(hash)], (hash & ~end_mask) | (until_ms & end_mask),
                          memory_order_relaxed);
}

bool svc__memo_quiet_holds(const struct memo_quiet *quiet, uint64_t hash, uint64_t now_ms)
{
    uint64_t slot = atomic_load_explicit(&quiet->slots[slot_of(hash)], memory_order_relaxed);
    return (slot & ~end_mask) == (hash & ~end_mask) && now_ms < (slot & end_mask);
}
