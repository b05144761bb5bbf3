/*
 * The rules of RFC 9111 for a shared cache, as pure functions: whether a reply may be stored, for
 * how long it is fresh, how old it is, and whether a request may have it. RFC 5861 adds the use of
 * stale replies. Seconds are 0 to CACHE_CONTROL_MAX_SECONDS unless a comment says more. Any thread.
 */
#ifndef SVC_SHARED_CACHE_CACHE_RULES_H
#define SVC_SHARED_CACHE_CACHE_RULES_H

#include "libsvc/proto/cache_control.h"
#include "libsvc/proto/fields.h"

/* A time that a reply does not state. */
#define CACHE_NO_TIME INT64_MIN

/* The parts of a reply to GET on which its storage depends. Times are seconds since 1970. */
struct cache_facts {
    int status;
    struct cache_control control;
    int64_t date;     /* the reply was made then, by its origin's clock */
    int64_t age;      /* of its Age field; the maximum for a malformed one */
    int64_t expires;  /* or CACHE_NO_TIME; a malformed date is 0, long ago */
    int64_t modified; /* or CACHE_NO_TIME */
    bool has_etag;
    bool sets_cookie;
    bool varies_by_all; /* by "Vary: *" */
};

/* Reads the facts from the fields of a reply. `now`, seconds since 1970, is the date of a reply
 * without. */
void svc__cache_rules_read(struct cache_facts *out, int status, const struct field *fields,
                           size_t count, int64_t now);

/* The longest lifetime that is estimated, of a reply that states none; 0: none is estimated. */
struct cache_policy {
    int64_t heuristic_most;
};

/* The part of a stored reply on which its use depends. */
struct cache_terms {
    int64_t lifetime;                   /* it is fresh while its age is below this */
    int64_t while_revalidate, if_error; /* it may be used stale for this long (RFC 5861) */
    bool validates;                     /* each use needs a validation */
    bool strict;                        /* it is never used stale */
    bool licensed;                      /* requests with Authorization may have it (RFC 9111 3.5) */
};

/*
 * Whether a reply may be stored, and is worth it: it has a lifetime, may be used stale, or has a
 * validator. `authorized`: its request had Authorization. On true, `*terms` is set.
 */
bool svc__cache_rules_store(const struct cache_facts *facts, const struct cache_policy *policy,
                            bool authorized, struct cache_terms *terms);

/* The age that a reply has when it arrives at `now`, after `delay` seconds (RFC 9111 4.2.3). */
int64_t svc__cache_rules_age(const struct cache_facts *facts, int64_t now, int64_t delay);

/* The use that a request may make of a stored reply. */
enum cache_use {
    CACHE_FRESH,            /* as it is */
    CACHE_STALE,            /* as it is: the request accepts that it is stale */
    CACHE_STALE_VALIDATING, /* as it is, while another request validates it */
    CACHE_VALIDATE,         /* only if it is validated, since it is stale */
    CACHE_VALIDATE_ASKED    /* only if it is validated, since the request demands that */
};

/* Decides for a stored reply of that age, and for the directives of a request. */
enum cache_use svc__cache_rules_use(const struct cache_terms *terms,
                                    const struct cache_control *wish, int64_t age);

/* Whether a stored reply of that age may be used in place of an error of the service. */
bool svc__cache_rules_use_on_error(const struct cache_terms *terms,
                                   const struct cache_control *wish, int64_t age);

#endif
