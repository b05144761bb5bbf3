/* Conditional requests (RFC 9110 13): their conditions, and the result of evaluating them. */
#ifndef SVC_PROTO_PRECONDITION_H
#define SVC_PROTO_PRECONDITION_H

#include <stddef.h>
#include <stdint.h>

#include "libsvc/proto/etag.h"
#include "libsvc/proto/fields.h"
#include "libsvc/proto/method.h"

#define PRECONDITION_NO_DATE INT64_MIN

/* The current state of a resource. */
struct validators {
    bool exists;      /* it has a representation */
    struct etag tag;  /* opaque "none": it has no tag */
    int64_t modified; /* seconds since 1970, or PRECONDITION_NO_DATE */
    bool date_strong; /* the resource cannot have changed twice in that second (RFC 9110 8.8.2.2) */
    int64_t now;      /* seconds since 1970 */
};

enum precondition {
    PRECONDITION_NONE,         /* no condition applies: perform the method */
    PRECONDITION_HOLDS,        /* each one that applies is true: perform the method */
    PRECONDITION_RANGE,        /* the same, and Range applies as far as If-Range goes (206) */
    PRECONDITION_NOT_MODIFIED, /* 304 */
    PRECONDITION_FAILED        /* 412 */
};

/* Whether a request has conditions; a Range alone is none. Any thread. */
bool svc__precondition_any(const struct fields *fields);

/*
 * Evaluates the conditions among a request's fields in the order of RFC 9110 13.2.2. A malformed
 * list of tags is compared up to its first error; unless a tag before that decides, it permits no
 * write (412) and withholds no body (200). Malformed dates, lists of dates, and dates for a
 * resource without one are ignored, as RFC 9110 13.1.3 and 13.1.4 demand. Any thread.
 */
enum precondition svc__precondition_evaluate(enum method method, const struct fields *fields,
                                             const struct validators *now);

#endif
