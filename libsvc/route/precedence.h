/*
 * Which of two patterns wins: the one whose requests are a strict subset of the other's, whatever
 * the order of registration. Patterns that overlap without that, or are equal, conflict.
 */
#ifndef SVC_ROUTE_PRECEDENCE_H
#define SVC_ROUTE_PRECEDENCE_H

#include "libsvc/route/pattern.h"

/* How the requests of the first pattern relate to those of the second. */
enum relation {
    RELATION_EQUAL,
    RELATION_GENERAL,  /* all of the second's, and more */
    RELATION_SPECIFIC, /* some of the second's, and no other */
    RELATION_DISJOINT,
    RELATION_OVERLAP /* each matches requests that the other does not */
};

/* Compares methods and paths, not hosts. Any thread. */
enum relation svc__precedence_compare(const struct pattern *a, const struct pattern *b);

/* Whether the two cannot both be registered: for the same host (one with a host beats one without),
 * equal or overlapping. Any thread. */
bool svc__precedence_conflict(const struct pattern *a, const struct pattern *b);

/*
 * Appends one line on why two patterns conflict: both with file and line, a request that both
 * match, and for an overlap requests that only one of them matches. Errors stay in `out`. Any
 * thread.
 */
void svc__precedence_explain(const struct pattern *a, const struct pattern *b, struct buf *out);

#endif
