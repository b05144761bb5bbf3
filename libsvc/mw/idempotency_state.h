/* Idempotency keys: the part that their constructor, their phases and their parts share. */
#ifndef SVC_MW_IDEMPOTENCY_STATE_H
#define SVC_MW_IDEMPOTENCY_STATE_H

#include <svc/idempotency.h>
#include <svc/metric.h>
#include <svc/middleware.h>

#include "libsvc/mw/idempotency_record.h"

#define IDEMPOTENCY_SPACE "idempotency:" /* before the ids in the store */

enum {
    IDEMPOTENCY_ID_DIGITS = 2 * SHA256_BYTES,
    IDEMPOTENCY_SPACE_LEN = sizeof IDEMPOTENCY_SPACE - 1
};

/* The results that requests with a key are counted by. */
enum idempotency_result {
    IDEMPOTENCY_FIRST,    /* the handler runs */
    IDEMPOTENCY_REPLAYED, /* the first answer was repeated */
    IDEMPOTENCY_CONFLICT, /* the first request is under way */
    IDEMPOTENCY_MISMATCH, /* the key is that of another request */
    IDEMPOTENCY_LOST,     /* the first answer could not be kept */
    IDEMPOTENCY_INVALID,  /* no key, a malformed one, or no caller */
    IDEMPOTENCY_RESULTS
};

/* A middleware, with everything that it points at in the app's memory. */
struct idempotency {
    svc_middleware middleware;
    svc_store *store;
    unsigned flags;
    struct bytes header; /* "none": not by header */
    const svc_key *subject;
    uint64_t ttl_ms, grace_ms;
    size_t max_answer;
    svc_counter *results[IDEMPOTENCY_RESULTS];
    svc_counter *failures, *too_large;
};

/* The way of a request. */
enum idempotency_stage {
    IDEMPOTENCY_NEW,
    IDEMPOTENCY_ADDING,  /* asks for the key */
    IDEMPOTENCY_READING, /* asks who has it */
    IDEMPOTENCY_HELD,    /* has it, until its answer */
    IDEMPOTENCY_FOUND,   /* has a record of another request, which is to be compared */
    IDEMPOTENCY_OVER     /* does not need the key any more, or never has */
};

/* The state of a request. */
struct idempotency_state {
    enum idempotency_stage stage;
    int error;          /* the store's last answer */
    unsigned tries;     /* for the key */
    svc_request *waits; /* to be resumed by the store's answer */
    const struct idempotency *asks;
    svc_store_value value; /* the key's, or the record that was found */
    struct idempotency_record found;
    unsigned char fingerprint[SHA256_BYTES];
    char name[IDEMPOTENCY_SPACE_LEN + IDEMPOTENCY_ID_DIGITS + 1]; /* in the store */
};

#endif
