/*
 * The limiter of one process: a table of bounded size that any number of threads decide in at once
 * without a lock.
 *
 * Each key has one 64-bit word for each window: a fingerprint of its hash, and its TAT (gcra.h). A
 * bucket is a cache line of eight words, so a decision costs one cache miss a window, and threads
 * meet only where their keys do. The hash is seeded, so nobody can aim at a bucket.
 *
 * A word whose TAT has passed carries no more information than an absent one: the key has its whole
 * burst in either case. Only such words give way to new keys, so eviction changes no decision. When
 * all eight of a bucket are live, a new key cannot be counted there, and `admit` decides. With an
 * eighth of the words live that happens to 1 new key in 100,000; with a quarter, to 1 in 900.
 *
 * Two keys of one bucket and fingerprint are counted as one. With a quarter of the words live, that
 * is two to a bucket, the odds that a key shares its fingerprint with another are 2 to 2^24 at
 * rates up to 64 per second, and double with each doubling of the rate, to 2 to 2^16 at most. Of a
 * million live keys, seven tables of eight have no such pair, and at the fastest rates a table has
 * 30.
 */
#ifndef SVC_STORE_LIMIT_TABLE_H
#define SVC_STORE_LIMIT_TABLE_H

#include "libsvc/base/siphash.h"
#include "libsvc/store/limiter.h"

enum { LIMIT_TABLE_LINE = 64 /* bytes of a bucket */ };

struct limit_table_options {
    const struct limiter_window *windows;
    size_t window_count; /* 1 to LIMITER_WINDOWS */
    size_t bytes;      /* for all buckets, shared equally by the windows; rounded down to buckets */
    bool admit;        /* whether a key without room passes the window */
    uint64_t epoch_ns; /* the earliest time that will be asked about */
    struct siphash_key seed;
};

/*
 * Makes a table; its memory is touched as keys come. On success `*limiter` is the caller's. 0,
 * SVC_EINVAL for a bad window, SVC_ETOOBIG when `bytes` is less than a bucket a window, SVC_ENOMEM.
 */
int svc__limit_table_new(const struct limit_table_options *options, struct limiter **limiter);

/*
 * A table can also hold the state of keys that a store decides about. Then nothing is charged in
 * it: its TATs are what the store has reported, and no TAT is ever later than the store's own. So a
 * cost that it refuses would be refused by the store too. `limiter` is one of svc__limit_table_new.
 */

/* Whether some window would refuse `cost`, by what the table knows; a key that it does not know
 * passes. `decision` is filled then. Any thread. */
bool svc__limit_table_refuses(const struct limiter *limiter, const struct limiter_key *key,
                              uint32_t cost, uint64_t now_ns, struct limiter_decision *decision);

/*
 * Sets the state of a key: in window i its whole burst will be back in `used_ns[i]`. A window that
 * has no word for the key gets one only if bit i of `add` is set and there is room. Any thread.
 */
void svc__limit_table_correct(const struct limiter *limiter, const struct limiter_key *key,
                              const uint64_t *used_ns, unsigned add, uint64_t now_ns);

#endif
