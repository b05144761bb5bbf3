/*
 * The interface by which the middleware asks whether a request is within its limits: the decision
 * may come from this process (limit_table.h) or from state that several processes share.
 */
#ifndef SVC_STORE_LIMITER_H
#define SVC_STORE_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

enum { LIMITER_WINDOWS = 4 /* windows that one limiter may have */ };

/* `rate` requests in each period in the long run, and `burst` of them at once. None is 0. */
struct limiter_window {
    uint64_t rate;
    uint64_t period_ns;
    uint64_t burst;
};

/* The key of a request: requests are counted together when the parts of their keys are equal one by
 * one. */
struct limiter_key {
    const struct bytes *parts;
    size_t count;
};

/* A time that never comes. */
#define LIMITER_NEVER UINT64_MAX

/* The state of a window for a key, once the decision is carried out. */
struct limiter_quota {
    uint64_t remaining; /* requests that could pass at once */
    uint64_t next_ns;   /* until one more remains; 0 when all of the burst does */
    uint64_t reset_ns;  /* until all of the burst remains */
    uint64_t retry_ns;  /* until the refused request would pass, or LIMITER_NEVER; else 0 */
};

struct limiter_decision {
    bool pass;
    bool undecided;   /* some window could not decide (no room for the key, say): policy decided */
    unsigned refused; /* bit i: window i refused */
    struct limiter_quota quotas[LIMITER_WINDOWS];
};

/* A limiter; an implementation has this as its first member. */
struct limiter {
    /*
     * Whether a request of `cost` under `key` passes all windows at `now_ns` (of svc__clock_ns).
     * When it does, all are charged; when any refuses, none is. Cost 0 charges nothing and passes:
     * it looks. A cost over a window's burst never passes. Any thread.
     */
    void (*decide)(struct limiter *limiter, const struct limiter_key *key, uint32_t cost,
                   uint64_t now_ns, struct limiter_decision *decision);

    /* Frees the limiter, which no thread may use any more. */
    void (*free)(struct limiter *limiter);
};

#endif
