/*
 * A limit's decision (GCRA) as a pure function of the stored state and a clock. memcached has no
 * scripts and no clock finer than a second, so the state is read, decided on here, and written back
 * if nobody was faster.
 */
#ifndef SVC_MEMCACHED_MEMCACHED_LIMIT_H
#define SVC_MEMCACHED_MEMCACHED_LIMIT_H

#include <svc/store.h>

enum { MEMCACHED_LIMIT_BYTES = 1 + SVC_STORE_WINDOWS * 5 * 8 /* the longest state */ };

/* A state to be stored. */
struct memcached_limit {
    char bytes[MEMCACHED_LIMIT_BYTES];
    size_t len;
    uint64_t ttl_ms; /* after which it equals no state at all */
};

/*
 * Decides at `now_us`, microseconds since 1970, under the state of `len` bytes that is stored; 0:
 * none is.
 * `*next` is the state to store if the charge passes and costs something. 0 with `*verdict`, or
 * SVC_ESYNTAX for bytes that are no state. Pure.
 */
int svc__memcached_limit_decide(const svc_store_charge *charge, const void *state, size_t len,
                                uint64_t now_us, svc_store_verdict *verdict,
                                struct memcached_limit *next);

#endif
