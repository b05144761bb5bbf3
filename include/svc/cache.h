/*
 * HTTP caching: what caches may do with a reply (RFC 9111), and conditional requests (RFC 9110 13),
 * by which a client that knows a representation spares itself a second copy, and a write meets the
 * state that it was made for. docs/caching.md shows how the parts go together.
 *
 * The calls with a request or a response are for the thread that runs the phase or handler.
 */
#ifndef SVC_CACHE_H
#define SVC_CACHE_H

#include <svc/middleware.h>
#include <svc/response.h>

SVC_BEGIN_DECLS

/* ---- What caches may do */

/*
 * Directives of Cache-Control that have no argument (RFC 9111 5.2, RFC 8246). Caches may also reuse
 * replies that name no age, by a guess: say NO_CACHE if you mean it.
 */
enum {
    SVC_CACHE_PUBLIC = 1 << 0,           /* any cache may store it, also what is authenticated */
    SVC_CACHE_PRIVATE = 1 << 1,          /* only the client's own cache may store it */
    SVC_CACHE_NO_STORE = 1 << 2,         /* nobody may store it */
    SVC_CACHE_NO_CACHE = 1 << 3,         /* stored, but asked about before each use */
    SVC_CACHE_NO_TRANSFORM = 1 << 4,     /* proxies must leave the body as it is */
    SVC_CACHE_MUST_REVALIDATE = 1 << 5,  /* once stale, never used unasked */
    SVC_CACHE_PROXY_REVALIDATE = 1 << 6, /* the same for shared caches alone */
    SVC_CACHE_MUST_UNDERSTAND = 1 << 7,  /* stored only by who knows the status; sent with no-store,
                                            which such a cache then ignores */
    SVC_CACHE_IMMUTABLE = 1 << 8,        /* does not change while fresh, so reloads need not ask */
    SVC_CACHE_ONLY_IF_CACHED = 1 << 9    /* of requests: from a cache, or 504 */
};

/* What to say about a reply. Begin with SVC_CACHE_POLICY_INIT. Seconds are -1 when not said, and at
 * most 2147483648 when sent (RFC 9111 1.2.2). */
typedef struct svc_cache_policy {
    size_t size;                      /* set by SVC_CACHE_POLICY_INIT */
    unsigned directives;              /* SVC_CACHE_PUBLIC | … */
    int64_t max_age_s;                /* fresh for so long */
    int64_t s_maxage_s;               /* the same for shared caches, where it overrides max_age_s */
    int64_t stale_while_revalidate_s; /* used stale so long while asking in the background (RFC 5861) */
    int64_t stale_if_error_s;         /* used stale so long while the service fails (RFC 5861) */
    bool expires; /* also sends Expires, for caches of HTTP/1.0: now and max_age_s, or now alone where
                     they must not reuse the reply (they know neither private nor no-store) */
    bool errors;  /* for errors too, statuses from 400 on, which otherwise are no-store */
    bool personal;    /* a layer's policy holds also for replies to requests with Authorization and
                         for replies that set cookies, which otherwise are no-store */
    const char *vary; /* request fields that choose the representation, such as "Accept-Encoding,
                         Origin", merged into Vary; or NULL */
} svc_cache_policy;

#define SVC_CACHE_POLICY_INIT                                                                      \
    {                                                                                              \
        sizeof(svc_cache_policy), 0, -1, -1, -1, -1, false, false, false, NULL                     \
    }

/*
 * Makes a layer that says `policy` of each reply to GET and HEAD, for svc_app_use, svc_group_use or a
 * route. What the handler or an inner layer has said stands (Cache-Control or Expires), save for
 * errors: they are no-store unless the policy in force has `errors`. The library's own errors are
 * errors like any other. A policy without directives and ages leaves other replies alone.
 *
 * The policy is copied; the layer is the app's. NULL, also kept as a set-up error, for private beside
 * public or s_maxage_s, for ONLY_IF_CACHED, seconds below -1, a bad `vary`, or when out of memory.
 * Before start only. Since: 0.1
 */
SVC_API const svc_middleware *svc_cache_control_new(svc_app *app, const svc_cache_policy *policy);

/*
 * Says `policy` of this reply, over whatever a layer would say. Where the reply becomes an error after
 * all, it stands only if the policy has `errors`. SVC_EINVAL as for svc_cache_control_new and for a
 * policy that says nothing, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_set_cache_control(svc_response *res, const svc_cache_policy *policy);

/*
 * Adds names to Vary, the request fields that chose this representation: "Origin", or several with
 * commas. Names that are there already, in any case, are not repeated, and `*`, which says that
 * anything may have chosen, replaces all (RFC 9110 12.5.5). 0, SVC_EINVAL for what is no field name,
 * SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_add_vary(svc_response *res, const char *names);

/*
 * Says that the reply was made or checked so many seconds ago, for a handler that answers out of a
 * cache of its own (RFC 9111 5.1). 0, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_set_age(svc_response *res, uint64_t seconds);

/* What a request asks of caches on its way, this service's own included (RFC 9111 5.2.1). Begin with
 * SVC_CACHE_WISH_INIT. Seconds are -1 when not said. */
typedef struct svc_cache_wish {
    size_t size;              /* set by SVC_CACHE_WISH_INIT */
    unsigned directives;      /* SVC_CACHE_NO_CACHE, NO_STORE, NO_TRANSFORM, ONLY_IF_CACHED */
    int64_t max_age_s;        /* not older than this */
    int64_t max_stale_s;      /* stale by at most this; INT64_MAX: by anything */
    int64_t min_fresh_s;      /* fresh for at least this */
    int64_t stale_if_error_s; /* stale by at most this where the alternative is an error */
} svc_cache_wish;

#define SVC_CACHE_WISH_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_cache_wish), 0, -1, -1, -1, -1                                                  \
    }

/* Reads the request's Cache-Control, for a handler that has a cache of its own. What cannot be read
 * is skipped. 0, or SVC_EINVAL for a `wish` without SVC_CACHE_WISH_INIT. Since: 0.1 */
SVC_API int svc_request_cache_control(const svc_request *req, svc_cache_wish *wish);

/* ---- Validators */

/*
 * Sets ETag. `tag` is what stands between the quotes: a version, a hash; visible ASCII without quotes.
 * A strong tag changes with every byte of the body; a `weak` one may stay while the meaning does, and
 * is no guard for writes. 0, SVC_EINVAL for other characters, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_set_etag(svc_response *res, const char *tag, bool weak);

/* Sets Last-Modified, seconds since 1970; a time to come is sent as now (RFC 9110 8.8.2.1). 0,
 * SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1 */
SVC_API int svc_response_set_modified(svc_response *res, int64_t unix_seconds);

/* No time is known. */
#define SVC_TIME_UNKNOWN INT64_MIN

/* The state of a resource at the moment. Begin with SVC_VALIDATORS_INIT. Borrowed for the call. */
typedef struct svc_validators {
    size_t size;        /* set by SVC_VALIDATORS_INIT */
    bool absent;        /* there is no representation: a PUT would create it */
    const char *etag;   /* as for svc_response_set_etag; NULL: it has none */
    bool weak;          /* of the tag */
    int64_t modified_s; /* seconds since 1970, or SVC_TIME_UNKNOWN */
    uint64_t length;    /* of the body that a 200 would have, or SVC_LENGTH_UNKNOWN */
} svc_validators;

#define SVC_VALIDATORS_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_validators), false, NULL, false, SVC_TIME_UNKNOWN, SVC_LENGTH_UNKNOWN           \
    }

/*
 * Checks the request's conditions against the state of the resource, before any work is done. True: go on;
 * for GET and HEAD the validators are set as ETag and Last-Modified by then. False: `res` holds the answer
 * and the handler returns 0, as for svc_request_bind: 304 for a GET or HEAD whose client has the
 * representation; 412 where If-Match, If-Unmodified-Since or, for a write, If-None-Match does not hold;
 * 428 where a layer demands a condition and none of the request's applies. Ask once all else that could
 * refuse is checked, and just before the work is done: what would not be answered 2xx is answered without
 * asking (RFC 9110 13.2.1).
 *
 * A write must not let the state change between question and act: hold the lock, or let the store
 * compare versions. Set Vary and Content-Location before asking, since a 304 carries them too. A 304
 * states `length`; without it the connection is closed behind it. When memory runs out, or for a bad tag,
 * false without an answer, which is a 500. Since: 0.1
 */
SVC_API bool svc_request_check_conditions(svc_request *req, svc_response *res,
                                          const svc_validators *validators) SVC_MUST_CHECK;

/* How a layer handles conditional requests. Begin with SVC_CONDITIONAL_INIT. */
typedef struct svc_conditional {
    size_t size; /* set by SVC_CONDITIONAL_INIT */
    /* Bodies in memory up to this many bytes get a tag when the handler has set none: a hash of body,
     * Content-Type and Content-Encoding, at about a microsecond a kilobyte. 0: none do. */
    size_t max_tagged_bytes;
    /* Writes (all methods but GET, HEAD, OPTIONS, TRACE, CONNECT) must have If-Match, If-None-Match or
     * If-Unmodified-Since, else 428, before their body is read (RFC 6585 3). */
    bool require;
} svc_conditional;

#define SVC_CONDITIONAL_INIT                                                                       \
    {                                                                                              \
        sizeof(svc_conditional), 262144, false                                                     \
    }

/*
 * Makes a layer that answers conditional GET and HEAD requests, for svc_app_use, svc_group_use or a
 * route: where a handler's 2xx has, or is given, an ETag or Last-Modified and the request has
 * conditions, it becomes the 304 or 412 that they ask for. A body that is a source gets no tag, but
 * one that the handler has set is honoured and the source is then closed unread. Writes are the
 * handler's to check, with svc_request_check_conditions: here they would have happened. Stack it outside of
 * layers that change bodies. Range is ignored.
 *
 * `options` are copied; NULL is SVC_CONDITIONAL_INIT. The layer is the app's. NULL, also kept as a
 * set-up error, when out of memory or without SVC_CONDITIONAL_INIT. Before start only. Since: 0.1
 */
SVC_API const svc_middleware *svc_conditional_new(svc_app *app, const svc_conditional *options);

SVC_END_DECLS

#endif
