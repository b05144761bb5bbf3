/* Cache-Control as a value: read from fields, checked, written (RFC 9111 5.2, RFC 5861, RFC 8246).
 */
#ifndef SVC_PROTO_CACHE_CONTROL_H
#define SVC_PROTO_CACHE_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

/* X(NAME, text): directives without an argument, in the order in which they are written. */
#define CACHE_CONTROL_FLAGS(X)                                                                     \
    X(PUBLIC, "public")                                                                            \
    X(PRIVATE, "private")                                                                          \
    X(NO_STORE, "no-store")                                                                        \
    X(NO_CACHE, "no-cache")                                                                        \
    X(NO_TRANSFORM, "no-transform")                                                                \
    X(MUST_REVALIDATE, "must-revalidate")                                                          \
    X(PROXY_REVALIDATE, "proxy-revalidate")                                                        \
    X(MUST_UNDERSTAND, "must-understand")                                                          \
    X(IMMUTABLE, "immutable")                                                                      \
    X(ONLY_IF_CACHED, "only-if-cached")

/* X(member, text): directives with seconds, written behind the others. */
#define CACHE_CONTROL_SECONDS(X)                                                                   \
    X(max_age, "max-age")                                                                          \
    X(s_maxage, "s-maxage")                                                                        \
    X(stale_while_revalidate, "stale-while-revalidate")                                            \
    X(stale_if_error, "stale-if-error")                                                            \
    X(max_stale, "max-stale")                                                                      \
    X(min_fresh, "min-fresh")

#define CACHE_CONTROL_INDEX(name, text) CACHE_CONTROL_##name##_INDEX,
enum { CACHE_CONTROL_FLAGS(CACHE_CONTROL_INDEX) CACHE_CONTROL_FLAG_COUNT };
#undef CACHE_CONTROL_INDEX

#define CACHE_CONTROL_BIT(name, text) CACHE_CONTROL_##name = 1 << CACHE_CONTROL_##name##_INDEX,
enum { CACHE_CONTROL_FLAGS(CACHE_CONTROL_BIT) };
#undef CACHE_CONTROL_BIT

/* RFC 9111 1.2.2: a greater value counts as this, about 68 years. Written in at most 10 digits. */
#define CACHE_CONTROL_MAX_SECONDS INT64_C(2147483648)

/* Room for every directive at once with ", " between them and a NUL. */
#define CACHE_CONTROL_FLAG_ROOM(name, text) +sizeof(text ", ")
#define CACHE_CONTROL_SECONDS_ROOM(member, text) +sizeof(text "=2147483648, ")
enum {
    CACHE_CONTROL_SIZE = 1 CACHE_CONTROL_FLAGS(CACHE_CONTROL_FLAG_ROOM)
        CACHE_CONTROL_SECONDS(CACHE_CONTROL_SECONDS_ROOM)
};

#define CACHE_CONTROL_MEMBER(member, text) int64_t member;
struct cache_control {
    unsigned flags;
    CACHE_CONTROL_SECONDS(CACHE_CONTROL_MEMBER) /* each -1 when absent */
};
#undef CACHE_CONTROL_MEMBER

/* A value without directives. Any thread. */
struct cache_control svc__cache_control_none(void);

/*
 * Adds the directives of a field value; call it for each field of the name, in order. Unknown and
 * malformed directives are skipped. Of repeated seconds the first count; seconds that are no number
 * become 0, and too large ones the maximum, so that doubt makes a response stale (RFC 9111 4.2.1).
 * An argument may be quoted. Field names in no-cache and private are ignored: the directive is
 * taken for the whole response. max-stale without an argument is the maximum. Any thread.
 */
void svc__cache_control_parse(struct bytes value, struct cache_control *out);

/*
 * Checks a value for a response: 0, or SVC_EINVAL for directives of requests, for public or
 * s-maxage beside private, or for seconds below -1. Any thread.
 */
int svc__cache_control_check(const struct cache_control *value);

/* Writes a value with a NUL; "" when it has no directives. Seconds are written as tokens, at most
 * the maximum. Returns the length. Any thread. */
size_t svc__cache_control_format(char out[static CACHE_CONTROL_SIZE],
                                 const struct cache_control *value);

/*
 * The seconds for which a cache that knows only Expires may use the response: 0 for a response that
 * such a cache, which knows neither private nor no-store, must not reuse; -1 when no age is given.
 * Any thread.
 */
int64_t svc__cache_control_expires_in(const struct cache_control *value);

#endif
