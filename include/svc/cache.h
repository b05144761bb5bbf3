/*
 * HTTP caching: directives for caches (RFC 9111), and conditional requests (RFC 9110 13). A conditional
 * GET saves the transfer of a representation that the client already has; a conditional write changes the
 * resource only in the state that the client has seen. docs/caching.md shows how the parts go together.
 *
 * Calls that take a request or a response are for the thread that runs the phase or handler.
 */
#ifndef SVC_CACHE_H
#define SVC_CACHE_H

#include <svc/middleware.h>
#include <svc/response.h>

SVC_BEGIN_DECLS

/* ---- Cache-Control */

/*
 * Directives of Cache-Control that have no argument (RFC 9111 5.2, RFC 8246). Caches may also reuse
 * replies without an age, for a time that they estimate: use NO_CACHE to prevent that.
 */
enum {
    SVC_CACHE_PUBLIC = 1 << 0,           /* any cache may store the reply, also an authenticated one */
    SVC_CACHE_PRIVATE = 1 << 1,          /* only the client's own cache may store it */
    SVC_CACHE_NO_STORE = 1 << 2,         /* no cache may store it */
    SVC_CACHE_NO_CACHE = 1 << 3,         /* caches may store it, but must validate it before each use */
    SVC_CACHE_NO_TRANSFORM = 1 << 4,     /* proxies must not change the body */
    SVC_CACHE_MUST_REVALIDATE = 1 << 5,  /* once stale, caches must validate it before use */
    SVC_CACHE_PROXY_REVALIDATE = 1 << 6, /* the same for shared caches alone */
    SVC_CACHE_MUST_UNDERSTAND = 1 << 7,  /* only caches that know the status may store it; sent with
                                            no-store, which those caches then ignore */
    SVC_CACHE_IMMUTABLE = 1 << 8,        /* it does not change while fresh: a reload need not validate */
    SVC_CACHE_ONLY_IF_CACHED = 1 << 9    /* of requests: a stored reply, else 504 */
};

/* The Cache-Control of a reply. Begin with SVC_CACHE_POLICY_INIT. Seconds are -1 for a directive that is
 * not sent; larger values are sent as 2147483648 at most (RFC 9111 1.2.2). */
typedef struct svc_cache_policy {
    size_t size;                      /* set by SVC_CACHE_POLICY_INIT */
    unsigned directives;              /* SVC_CACHE_PUBLIC | … */
    int64_t max_age_s;                /* the reply is fresh for this long */
    int64_t s_maxage_s;               /* the same for shared caches, in which it overrides max_age_s */
    int64_t stale_while_revalidate_s; /* usable for this long while a cache validates it in the
                                         background (RFC 5861) */
    int64_t stale_if_error_s;         /* usable for this long while the service fails (RFC 5861) */
    bool expires; /* also sends Expires, for HTTP/1.0 caches: the present time plus max_age_s, or the
                     present time if they must not reuse the reply (they know neither private nor no-store) */
    bool errors;  /* also for errors (statuses from 400 on), which otherwise are no-store */
    bool personal;    /* a layer's policy also applies to replies to requests with Authorization and
                         to replies that set cookies, which otherwise are no-store */
    const char *vary; /* request fields that select the representation, such as "Accept-Encoding,
                         Origin", merged into Vary; or NULL */
} svc_cache_policy;

#define SVC_CACHE_POLICY_INIT                                                                      \
    {                                                                                              \
        sizeof(svc_cache_policy), 0, -1, -1, -1, -1, false, false, false, NULL                     \
    }

/*
 * Makes a layer that applies `policy` to each reply to GET and HEAD, for svc_app_use, svc_group_use or a
 * route. A Cache-Control or Expires that the handler or an inner layer has set is kept, except on errors:
 * those are no-store unless the policy in force has `errors`. The library's own errors count as errors
 * too. A policy without directives and ages does not change other replies.
 *
 * The policy is copied; the layer is owned by the app. NULL, also kept as a set-up error, for private
 * together with public or s_maxage_s, for ONLY_IF_CACHED, seconds below -1, a bad `vary`, or when out of
 * memory. Before start only. Since: 0.1
 */
SVC_API const svc_middleware *svc_cache_control_new(svc_app *app, const svc_cache_policy *policy);

/*
 * Applies `policy` to this reply, instead of the policy of any layer. If the reply becomes an error after
 * all, the policy is kept only if it has `errors`. 0, SVC_EINVAL as for svc_cache_control_new and for an
 * empty policy, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_set_cache_control(svc_response *res, const svc_cache_policy *policy);

/*
 * Adds names to Vary, the list of request fields that selected this representation: "Origin", or several
 * names separated by commas. A name that Vary already has, in any case of letters, is not added again; "*"
 * (anything may have selected it) replaces all names (RFC 9110 12.5.5). 0, SVC_EINVAL for a bad field
 * name, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_add_vary(svc_response *res, const char *names);

/*
 * Sets Age, the seconds since the reply was generated or validated, for a handler that answers from a
 * cache of its own (RFC 9111 5.1). 0, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_set_age(svc_response *res, uint64_t seconds);

/*
 * Sets Date, the time at which the reply was made, in seconds since 1970, for a handler that passes on the
 * reply of another server or of a cache of its own (RFC 9110 6.6.1). Without it the server sends the present
 * time. 0, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_set_date(svc_response *res, int64_t unix_seconds);

/* The Cache-Control of a request: its wishes for all caches on its way, the service's own included
 * (RFC 9111 5.2.1). Begin with SVC_CACHE_WISH_INIT. Seconds are -1 for a directive that is absent. */
typedef struct svc_cache_wish {
    size_t size;              /* set by SVC_CACHE_WISH_INIT */
    unsigned directives;      /* SVC_CACHE_NO_CACHE, NO_STORE, NO_TRANSFORM, ONLY_IF_CACHED */
    int64_t max_age_s;        /* not older than this */
    int64_t max_stale_s;      /* stale by at most this; INT64_MAX: by any time */
    int64_t min_fresh_s;      /* fresh for at least this */
    int64_t stale_if_error_s; /* stale by at most this if the alternative is an error */
} svc_cache_wish;

#define SVC_CACHE_WISH_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_cache_wish), 0, -1, -1, -1, -1                                                  \
    }

/* Reads the request's Cache-Control, for a handler that has a cache of its own. Malformed directives are
 * skipped. 0, or SVC_EINVAL for a `wish` without SVC_CACHE_WISH_INIT. Since: 0.1 */
SVC_API int svc_request_cache_control(const svc_request *req, svc_cache_wish *wish);

/* ---- Validators */

/*
 * Sets ETag. `tag` is the text between the quotes, such as a version or a hash: visible ASCII without
 * quotes. A strong tag changes with every byte of the body. A `weak` tag may stay while the body keeps its
 * meaning, and cannot guard writes. 0, SVC_EINVAL for other characters, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_set_etag(svc_response *res, const char *tag, bool weak);

/* Sets Last-Modified, in seconds since 1970; a time in the future is sent as the present time (RFC 9110
 * 8.8.2.1). 0, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1 */
SVC_API int svc_response_set_modified(svc_response *res, int64_t unix_seconds);

/* The time is unknown. */
#define SVC_TIME_UNKNOWN INT64_MIN

/* The current state of a resource. Begin with SVC_VALIDATORS_INIT. Borrowed for the call. */
typedef struct svc_validators {
    size_t size;        /* set by SVC_VALIDATORS_INIT */
    bool absent;        /* there is no representation: a PUT would create one */
    const char *etag;   /* as for svc_response_set_etag; NULL: none */
    bool weak;          /* the tag is weak */
    int64_t modified_s; /* seconds since 1970, or SVC_TIME_UNKNOWN */
    uint64_t length;    /* of the body that a 200 would have, or SVC_LENGTH_UNKNOWN */
} svc_validators;

#define SVC_VALIDATORS_INIT                                                                        \
    {                                                                                              \
        sizeof(svc_validators), false, NULL, false, SVC_TIME_UNKNOWN, SVC_LENGTH_UNKNOWN           \
    }

/*
 * Checks the request's conditions against the state of the resource, before the handler does its work.
 * True: the handler goes on; for GET and HEAD, ETag and Last-Modified have been set from the validators.
 * False: `res` holds the answer and the handler returns 0, as for svc_request_bind: 304 for a GET or HEAD
 * whose client has the representation; 412 when If-Match, If-Unmodified-Since or, for a write,
 * If-None-Match does not hold; 428 when a layer requires a condition and none of the request's applies.
 * Call this after all other checks and just before the work: a request that would not be answered 2xx is
 * answered without regard to its conditions (RFC 9110 13.2.1).
 *
 * For a write, the state must not change between this check and the change: hold the lock, or let the
 * store compare versions. Set Vary and Content-Location before the call, since a 304 carries them too. A
 * 304 states `length`; without a length the connection is closed after it. Out of memory, or for a bad
 * tag, this returns false with no answer set, so the client gets a 500. Since: 0.1
 */
SVC_API bool svc_request_check_conditions(svc_request *req, svc_response *res,
                                          const svc_validators *validators) SVC_MUST_CHECK;

/* How a layer handles conditional requests. Begin with SVC_CONDITIONAL_INIT. */
typedef struct svc_conditional {
    size_t size; /* set by SVC_CONDITIONAL_INIT */
    /* Bodies in memory of up to this many bytes get an ETag if the handler has set none: a hash of body,
     * Content-Type and Content-Encoding, which takes about a microsecond per kilobyte. 0: never. */
    size_t max_tagged_bytes;
    /* Writes (all methods but GET, HEAD, OPTIONS, TRACE, CONNECT) without If-Match, If-None-Match or
     * If-Unmodified-Since are answered 428, before their body is read (RFC 6585 3). */
    bool require;
} svc_conditional;

#define SVC_CONDITIONAL_INIT                                                                       \
    {                                                                                              \
        sizeof(svc_conditional), 262144, false                                                     \
    }

/*
 * Makes a layer that answers conditional GET and HEAD requests, for svc_app_use, svc_group_use or a
 * route. If a handler's 2xx has an ETag or Last-Modified, or is given an ETag here, and the request has
 * conditions, the layer turns it into the 304 or 412 that they demand. A body that is a source gets no ETag
 * here; if the handler has set one, the layer uses it, and closes the source unread. A handler must check
 * writes itself, by svc_request_check_conditions: this layer sees them only after they have happened. Stack
 * it outside of layers that change bodies. Range is ignored here: svc/response_cache.h answers it.
 *
 * `options` are copied; NULL stands for SVC_CONDITIONAL_INIT. The layer is owned by the app. NULL, also kept
 * as a set-up error, when out of memory or without SVC_CONDITIONAL_INIT. Before start only. Since: 0.1
 */
SVC_API const svc_middleware *svc_conditional_new(svc_app *app, const svc_conditional *options);

SVC_END_DECLS

#endif
