/* A rate limit: the part that its constructor, its phases and its parts share. */
#ifndef SVC_MW_RATE_LIMITER_H
#define SVC_MW_RATE_LIMITER_H

#include <svc/metric.h>
#include <svc/middleware.h>
#include <svc/rate_limit.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/network.h"
#include "libsvc/store/limiter.h"

enum { RATE_NAME_MAX = 64 /* bytes of a window's or limit's name */ };

struct rate_store;

struct rate_window {
    const char *name;
    struct limiter_window window;
    svc_counter *refused, *reported;
};

/* A rate limit of an app, with everything that it points at in the app's memory. */
struct rate_limit {
    svc_middleware middleware;
    struct limiter *limiter;   /* NULL: `shared` decides alone */
    struct rate_store *shared; /* NULL: the limit has no store */
    struct rate_window windows[LIMITER_WINDOWS];
    size_t window_count;
    unsigned flags;
    uint32_t cost;
    struct bytes header; /* "none": not by header */
    const svc_key *subject;
    const char *(*key)(svc_request *req, void *arg);
    uint32_t (*cost_of)(svc_request *req, void *arg);
    void *arg;
    struct network *exempt;
    size_t exempt_count;

    /* Rendered once: the RateLimit-Policy field, and the body of a 429 for each set of windows that
     * may refuse. */
    struct bytes policy;
    struct bytes problems[1 << LIMITER_WINDOWS];

    svc_counter *full;
};

/* The state of a request whose reply shall have fields. */
struct rate_state {
    bool decided;
    struct limiter_decision decision;
};

#endif
