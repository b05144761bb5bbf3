/*
 * A rate limit whose decisions are those of a store, which instances share.
 *
 * The process remembers the keys that the store has refused, by the TAT (gcra.h) that the store has
 * reported. A TAT never becomes earlier, whichever instance asks, so what is refused by a
 * remembered one would be refused by the store too, whatever its cost: such a request costs no
 * round trip. The counts of a store may be lost all the same (it evicts, or an operator deletes
 * them), so once a second it is asked about such a key nevertheless, and its answer replaces what
 * was remembered.
 */
#ifndef SVC_MW_RATE_STORE_H
#define SVC_MW_RATE_STORE_H

#include <svc/store.h>

#include "libsvc/base/sha256.h"
#include "libsvc/mw/rate_key.h"
#include "libsvc/mw/rate_limiter.h"

/* How a request was decided, and the label of that in metrics. */
#define RATE_OUTCOMES(X)                                                                           \
    X(RATE_PASSED, "passed")                                                                       \
    X(RATE_REFUSED, "refused")                                                                     \
    X(RATE_REFUSED_LOCALLY, "refused_locally")                                                     \
    X(RATE_FAILED_PASSED, "failed_passed")                                                         \
    X(RATE_FAILED_REFUSED, "failed_refused")                                                       \
    X(RATE_FAILED_DECIDED, "failed_decided")

#define RATE_OUTCOME_NAME(name, label) name,
enum rate_outcome { RATE_OUTCOMES(RATE_OUTCOME_NAME) RATE_OUTCOME_COUNT };
#undef RATE_OUTCOME_NAME

struct metrics;

enum { RATE_STORE_PREFIX = sizeof "rate:" + RATE_NAME_MAX + sizeof ":" };

/* The part of a limit that has a store. */
struct rate_store {
    svc_store *store;
    int on_failure;
    svc_rate_window windows[LIMITER_WINDOWS]; /* as the store is asked about them */
    char prefix[RATE_STORE_PREFIX];           /* of keys: "rate:NAME:" */
    struct sha256 begun;                      /* the hash of a key, after the windows */
    struct limiter *refused;                  /* the remembered keys */
    struct limiter *asked;                    /* once a second for each of them */
    uint64_t epoch_ns;                        /* of both */
    svc_counter *outcomes[RATE_OUTCOME_COUNT];
};

/* The state of a request under such a limit. */
struct rate_asked {
    struct rate_state state; /* first: for the fields of the reply */
    const struct rate_limit *limit;
    svc_request *req;
    struct rate_key key;
    svc_store_charge charge;
    uint64_t asked_ns;
    bool done; /* `outcome` and, unless the store has failed, the decision are there */
    enum rate_outcome outcome;
};

/* Prepares what the store is asked about, by the limit's windows and its name in the store, which
 * has up to RATE_NAME_MAX bytes. */
void svc__rate_store_prepare(struct rate_store *shared, const struct rate_limit *limit,
                             const char *name);

/* Registers the counters. 0 or SVC_ENOMEM. */
int svc__rate_store_start(struct rate_store *shared, struct metrics *metrics);

/*
 * Asks about a request whose `key` and `charge.cost` are set. 0: `done` is set; or SVC_WAIT: it is
 * set when the request is resumed.
 */
int svc__rate_store_ask(const struct rate_limit *limit, svc_request *req, struct rate_asked *asked);

#endif
