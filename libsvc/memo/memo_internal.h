/* A memo as its files see it: its options, its loads under way, and its counters. */
#ifndef SVC_MEMO_MEMO_INTERNAL_H
#define SVC_MEMO_MEMO_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <svc/memo.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/siphash.h"
#include "libsvc/memo/memo_quiet.h"
#include "libsvc/memo/memo_time.h"

enum { MEMO_CHAINS = 64, MEMO_NAME_SIZE = SVC_STORE_KEY_BYTES + 1 };

struct memo_flight;

/* How a call was answered; the names are those of the metric's label. */
enum memo_lookup {
    MEMO_HIT,
    MEMO_NEGATIVE,
    MEMO_STALE,
    MEMO_STALE_ON_ERROR,
    MEMO_MISS,
    MEMO_MALFORMED, /* a miss, since what is stored is no entry */
    MEMO_DOWN,      /* the store could not be asked */
    MEMO_LOOKUPS
};

/* How a load has ended. */
enum memo_loaded { MEMO_LOADED, MEMO_LOADED_NOTHING, MEMO_LOAD_FAILED, MEMO_LOAD_ENDS };

/* For what a call has waited. */
enum memo_wait { MEMO_WAIT_CALL, MEMO_WAIT_INSTANCE, MEMO_WAITS };

/* The counters of a memo; NULL until the app starts. */
struct memo_counts {
    svc_counter *lookups[MEMO_LOOKUPS], *loads[MEMO_LOAD_ENDS], *waits[MEMO_WAITS];
    svc_histogram *seconds; /* of loads */
};

struct svc_memo {
    svc_app *app;
    svc_store *store;
    svc_memo *next; /* of the app */
    svc_memo_options options;
    size_t name_len;
    struct memo_limits limits;
    uint64_t kept_ms; /* for so long, after its freshness, the store keeps a value */
    size_t max_value; /* of a loaded value; set at the start */
    bool leases;      /* by svc_store_lease; set at the start */
    struct memo_chance chance;
    struct memo_counts counts;
    struct siphash_key seed;
    _Atomic uint64_t ahead_ms; /* of its clock, in tests */
    _Atomic size_t direct;   /* loads under way while the store is down */
    struct memo_quiet quiet;
    pthread_mutex_t lock; /* of the flights */
    struct memo_flight *flights[MEMO_CHAINS];
};

#endif
