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
    /* Each client address is counted by itself: the default where nothing else names a key. */
    SVC_RATE_BY_CLIENT = 1 << 16,
    /* Each route is counted by itself; requests that matched none are counted together. */
    SVC_RATE_BY_ROUTE = 1 << 17,
    /* A request over the limit passes: it is counted (svc_rate_limit_reported_total) and logged at
     * level debug. */
    SVC_RATE_REPORT_ONLY = 1 << 18,
    /* A new key that finds no room in the table is refused; without it, it passes. Either way it is
     * counted (svc_rate_limit_full_total). */
    SVC_RATE_REFUSE_WHEN_FULL = 1 << 19,
    /* RateLimit and RateLimit-Policy on every reply, and not only on a 429. */
    SVC_RATE_FIELDS_ALWAYS = 1 << 20,
    /* X-RateLimit-Limit, -Remaining and -Reset (in seconds) wherever RateLimit would stand. */
    SVC_RATE_X_FIELDS = 1 << 21,
    /* No RateLimit and RateLimit-Policy, whose names and form are those of a draft. */
    SVC_RATE_NO_DRAFT_FIELDS = 1 << 22
};

/* A limit of several: at most `burst` at once, and `rate` in each period in the long run. */
typedef struct svc_rate_window {
    const char *name;   /* in header fields and the body of a 429: letters, digits, '.', '_', '-' */
    uint64_t rate;      /* 1 to 2^31, and at most 1,000,000 a second */
    uint32_t period_s;  /* 1 to 31,622,400 (366 days) */
    uint64_t burst;     /* 1 to 2^31; 0: `rate` */
} svc_rate_window;

/*
 * What to limit, and by what. Begin with SVC_RATE_LIMIT_INIT. Requests whose keys are equal are
 * counted together; each member that names a part of the key adds it. Strings are copied.
 */
typedef struct svc_rate_limit {
    size_t size; /* set by SVC_RATE_LIMIT_INIT */

    /* The one window, named "default", as in svc_rate_window. */
    uint64_t rate;
    uint32_t period_s; /* 1 at first */
    uint64_t burst;

    /* Or up to four windows, and `rate` and `burst` left 0: a request must pass all of them, and is
     * charged to none when one refuses. */
    const svc_rate_window *windows;
    size_t window_count;

    uint32_t cost; /* what a request takes; 1 at first. 0 only looks: it passes and takes nothing.
                      More than a burst is a set-up error */
    unsigned flags;

    /* By a header field's value. A request without one is counted by its client instead. */
    const char *header;

    /* By a per-request value that an outer layer has set, a NUL-terminated string, such as the
     * authenticated user. A request without one is counted by its client instead. */
    const svc_key *subject;

    /* By the string that this returns, which lives as long as the request; NULL lets the request pass
     * uncounted. Must not block. */
    const char *(*key)(svc_request *req, void *arg);

    /* What this request takes, instead of `cost`. More than a burst is refused for good: a 429
     * without Retry-After. Must not block. */
    uint32_t (*cost_of)(svc_request *req, void *arg);
    void *arg; /* of both functions */

    /* Networks whose clients pass uncounted, such as "10.0.0.0/8", "::1"; NULL-terminated. */
    const char *const *exempt;

    /* Bytes of the table, 4 MiB at first; 64 at least for each window. Eight of them hold a key in a
     * window while it has used any of its burst: 64 for each such key leave one in 100,000 without
     * room, and 32 one in 900. */
    size_t memory;
} svc_rate_limit;

#define SVC_RATE_LIMIT_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_rate_limit), 0, 1, 0, NULL, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL,        \
            (size_t)4 << 20                                                                        \
    }

/*
 * Makes a middleware for svc_app_use, svc_group_use or a route's list; used in several places, it
 * counts them together. Clients are told apart by the peer's address: an IPv6 one by its first 64
 * bits, an IPv4-mapped one as IPv4; all peers of unix sockets are one client. Owned by the app. NULL
 * for a bad option, once the app is started, or when out of memory, which is also kept as a set-up
 * error: svc_app_use may be given that NULL. Before start only. Since: 0.1
 */
SVC_API const svc_middleware *svc_rate_limit_new(svc_app *app, const svc_rate_limit *options);

SVC_END_DECLS

#endif
