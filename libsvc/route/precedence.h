/*
 * The precedence of two patterns: the pattern whose requests are a strict subset of the other's
 * wins, whatever the order of registration. Patterns that are equal, or overlap otherwise,
 * conflict.
 */
#ifndef SVC_ROUTE_PRECEDENCE_H
#define SVC_ROUTE_PRECEDENCE_H

#include "libsvc/route/pattern.h"

/* How the requests of the first pattern relate to those of the second. */
enum relation {
    RELATION_EQUAL,
    RELATION_GENERAL,  /* the first matches all requests of the second, and more */
    RELATION_SPECIFIC, /* the first matches some requests of the second, and no other */
    RELATION_DISJOINT,
    RELATION_OVERLAP /* each matches requests that the other does not */
};

/* Compares methods and paths, not hosts. Any thread. */
enum relation svc__precedence_compare(const struct pattern *a, const struct pattern *b);

/* Whether two patterns cannot both be registered: they have the same host (a pattern with a host
 * beats one without) and are equal or overlap. Any thread. */
bool svc__precedence_conflict(const struct pattern *a, const struct pattern *b);

/*
 * Appends one line that explains a conflict: both patterns with file and line, a request that both
 * match, and for an overlap requests that only one of the two matches. Errors stay in `out`. Any
 * thread.
 */
void svc__precedence_explain(const struct pattern *a, const struct pattern *b, struct buf *out);

#endif
