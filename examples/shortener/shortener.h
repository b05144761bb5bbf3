/* A URL shortener over HTTP, any number of whose instances share a store. */
#ifndef SHORTENER_SHORTENER_H
#define SHORTENER_SHORTENER_H

#include <svc.h>

#include "links.h"
#include "metrics.h"

/* The limit of each key, or, without keys, of each client: links in a minute, and at once. All
 * instances together. */
enum { LINKS_A_MINUTE = 60, LINKS_AT_ONCE = 20 };

/* The limit of each client that follows links: requests in a second, and at once. Each instance. */
enum { REQUESTS_A_SECOND = 200, REQUESTS_AT_ONCE = 400 };

/*
 * What an instance keeps of links, for those who follow them: so many bytes, and each for so long
 * before it is read again. A link never changes, so its age matters only at its end, which it may
 * outlive by that time. While the store is down, a link that was followed lately still leads to its
 * URL.
 */
#define KEPT_LINKS "memory:?bytes=16777216&max_value=4096"
enum { KEPT_MS = 60000, KEPT_UNKNOWN_MS = 1000, KEPT_WHILE_DOWN_MS = 3600000 };

/* The service's settings and state. */
struct shortener {
    const char *api_keys; /* settings */
    uint64_t days;
    svc_store *store; /* shared by all instances */
    svc_memo *links;  /* of this instance */
    const svc_schema *draft;
    svc_middleware authentication;
    struct metrics metrics;
};

/* The time to live of links and counts, as of svc_store_set. */
static inline uint64_t shortener_ttl_ms(const struct shortener *shortener)
{
    return shortener->days * 86400000;
}

/*
 * Makes the service, with its routes, settings and metrics; `shortener`, which it fills, is
 * borrowed by the app. The backends of stores are registered by the caller: memory is always there.
 * NULL when out of memory.
 */
svc_app *shortener_new(struct shortener *shortener);

#endif
