/*
 * Rate limits: a middleware that answers 429 to clients that exceed the limit, before a body is read.
 * docs/rate-limit.md describes where to stack it.
 *
 *     svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
 *     limit.rate = 10;
 *     limit.burst = 20;
 *     svc_app_use(app, svc_rate_limit_new(app, &limit));
 */
#ifndef SVC_RATE_LIMIT_H
#define SVC_RATE_LIMIT_H

#include <svc/request.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/* Flags of a rate limit. Others are refused. */
enum {
    /* The client's address is a part of the key. This is the default if nothing else is part of it. */
    SVC_RATE_BY_CLIENT = 1 << 16,
    /* The route is a part of the key; requests that match no route are counted together. */
    SVC_RATE_BY_ROUTE = 1 << 17,
    /* Requests over the limit pass. They are counted (svc_rate_limit_reported_total) and logged at level
     * debug. */
    SVC_RATE_REPORT_ONLY = 1 << 18,
    /* A request with a new key is refused if the table has no room for the key; without this flag it
     * passes. In both cases it is counted (svc_rate_limit_full_total). */
    SVC_RATE_REFUSE_WHEN_FULL = 1 << 19,
    /* Every reply has RateLimit and RateLimit-Policy; without this flag only a 429 has them. */
    SVC_RATE_FIELDS_ALWAYS = 1 << 20,
    /* Replies also have X-RateLimit-Limit, -Remaining and -Reset (in seconds), under the same rule. */
    SVC_RATE_X_FIELDS = 1 << 21,
    /* No reply has RateLimit and RateLimit-Policy, whose names and form are those of a draft. */
    SVC_RATE_NO_DRAFT_FIELDS = 1 << 22
};

/* How a limit with a store decides while the store cannot be asked, or does not answer in time. */
enum svc_rate_failure {
    SVC_RATE_PASS = 0, /* the request passes */
    SVC_RATE_REFUSE,   /* it is answered 503 */
    SVC_RATE_DECIDE    /* the process decides by a table of its own, as a limit without a store does */
};

/* One window: `burst` requests pass at once, and `rate` requests in each period in the long run. */
typedef struct svc_rate_window {
    const char *name;   /* in header fields and the body of a 429: 1 to 64 letters, digits, '.', '_', '-' */
    uint64_t rate;      /* 1 to 2^31, and at most 1,000,000 a second */
    uint32_t period_s;  /* 1 to 31,622,400 (366 days) */
    uint64_t burst;     /* 1 to 2^31; 0: `rate` */
} svc_rate_window;

/*
 * The options. Begin with SVC_RATE_LIMIT_INIT. Requests with equal keys are counted together. The key
 * consists of the parts that the flags, `header`, `subject` and `key` name. Strings are copied.
 */
typedef struct svc_rate_limit {
    size_t size; /* set by SVC_RATE_LIMIT_INIT */

    /* A single window, named "default": see svc_rate_window. */
    uint64_t rate;
    uint32_t period_s; /* default 1 */
    uint64_t burst;

    /* Or 1 to 4 windows; `rate` and `burst` are then 0. A request must pass all windows; if one refuses
     * it, it is charged to none. */
    const svc_rate_window *windows;
    size_t window_count;

    uint32_t cost; /* the charge of a request; default 1. With 0 every request passes and none is
                      charged. More than a burst is a set-up error */
    unsigned flags;

    /* The value of this header field is a part of the key. A request without the field is counted by its
     * client instead. */
    const char *header;

    /* The per-request value under this key, a NUL-terminated string that an outer layer has set, is a part
     * of the key: the authenticated user, for example. A request without the value is counted by its
     * client instead. */
    const svc_key *subject;

    /* The string that this function returns is a part of the key; it must live as long as the request. For
     * NULL the request passes uncounted. Must not block. */
    const char *(*key)(svc_request *req, void *arg);

    /* Returns the charge of this request, in place of `cost`. If it is more than a burst, the request can
     * never pass: it is answered 429 without Retry-After. Must not block. */
    uint32_t (*cost_of)(svc_request *req, void *arg);
    void *arg; /* of both functions */

    /* Networks whose clients pass uncounted, such as "10.0.0.0/8" or "::1": at most 1024, then NULL. */
    const char *const *exempt;

    /* Size of the table in bytes, for all windows together: default 4 MiB, at least 64 for each window, at
     * most 64 GiB. A key takes 8 bytes in each window until its whole burst has come back. With 64 bytes
     * per such key, one new key in 100,000 finds no room; with 32 bytes, one in 900. */
    size_t memory;

    /*
     * The store that decides (svc/store.h), which instances share; NULL: the process decides. A request
     * waits for the store's answer, and holds no thread meanwhile. The process remembers, in a table of
     * `memory` bytes, the keys that the store has refused, and refuses them by itself as long as the store
     * would; once a second it asks all the same. A store that never waits is asked for each request.
     */
    struct svc_store *store;

    /* The limit's name in the store, by the rule of a window's name; NULL: that of the first window. Limits
     * of equal name and windows share their counts, so an app has one limit of a name in a store. */
    const char *name;

    /* One of svc_rate_failure. Failures are counted (svc_rate_limit_store_total). SVC_RATE_DECIDE needs a
     * second table of `memory` bytes. */
    int on_store_failure;
} svc_rate_limit;

#define SVC_RATE_LIMIT_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_rate_limit), 0, 1, 0, NULL, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL,        \
            (size_t)4 << 20, NULL, NULL, 0                                                         \
    }

/*
 * Makes a middleware for svc_app_use, svc_group_use or a route's list. Used in several places, it counts
 * their requests together. A client is the peer's address: of an IPv6 address the first 64 bits count, an
 * IPv4-mapped address counts as IPv4, and all peers of unix sockets are one client. Owned by the app. NULL
 * for a bad option, once the app is started, or when out of memory, also kept as a set-up error:
 * svc_app_use accepts that NULL. Before start only. Since: 0.1
 */
SVC_API const svc_middleware *svc_rate_limit_new(svc_app *app, const svc_rate_limit *options);

SVC_END_DECLS

#endif
