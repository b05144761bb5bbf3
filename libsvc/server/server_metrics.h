/*
 * The metrics of a server: of its connections and loops. They are registered in the metrics of the
 * service, whose servers are told apart by the label "listener".
 */
#ifndef SVC_SERVER_SERVER_METRICS_H
#define SVC_SERVER_SERVER_METRICS_H

#include <stddef.h>

#include <svc/metric.h>

struct front;
struct metrics;

/* Why a client's connection is refused: X(NAME, label). */
#define REFUSED_LIST(X)                                                                            \
    X(CONNECTIONS, "max_connections")                                                              \
    X(PER_ADDRESS, "max_connections_per_address")                                                  \
    X(DESCRIPTORS, "descriptors")

/* The part of a request that a time limit has ended: X(NAME, label). */
#define TIMED_OUT_LIST(X)                                                                          \
    X(HEAD, "head")                                                                                \
    X(BODY, "body")                                                                                \
    X(HANDLER, "handler")                                                                          \
    X(WRITING, "writing")

#define SERVER_METRICS_REFUSED(name, label) REFUSED_##name,
#define SERVER_METRICS_TIMED_OUT(name, label) TIMED_OUT_##name,
enum refused_reason { REFUSED_LIST(SERVER_METRICS_REFUSED) REFUSED_REASONS };
enum timed_out_phase { TIMED_OUT_LIST(SERVER_METRICS_TIMED_OUT) TIMED_OUT_PHASES };
#undef SERVER_METRICS_REFUSED
#undef SERVER_METRICS_TIMED_OUT

/* The counters of all loops of one server. */
struct server_metrics {
    const char *listener;         /* the label: "service", or "admin" */
    struct metrics *in;           /* the service's; borrowed */
    svc_counter_family *accepted; /* by listener and front */
    svc_counter *refused[REFUSED_REASONS], *timed_out[TIMED_OUT_PHASES];
    svc_counter *accept_errors, *refused_below, *lingering_full, *faults;
    svc_histogram *lag;
};

/* Registers the metrics, each with its series, of a server with these fronts; `listener` and `in`
 * are set. 0 or SVC_ENOMEM. */
int svc__server_metrics_register(struct server_metrics *metrics, const struct front *const *fronts);

/* Counts a connection that was accepted for a front. Any thread. */
void svc__server_metrics_accepted(const struct server_metrics *metrics, const struct front *front);

#endif
