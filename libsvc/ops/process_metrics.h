/* Metrics of the process, by the names that Prometheus's client libraries have in common, and of
 * the library's version. */
#ifndef SVC_OPS_PROCESS_METRICS_H
#define SVC_OPS_PROCESS_METRICS_H

struct metrics;

/* Registers them. What the system does not tell is left out of the pages. */
void svc__process_metrics_register(struct metrics *m);

#endif
