/* Metrics of the process, by the names that Prometheus's client libraries have in common, and of
 * the library's version. */
#ifndef SVC_OPS_PROCESS_METRICS_H
#define SVC_OPS_PROCESS_METRICS_H

struct metrics;

/* Registers them. The pages are without figures that the system does not report. */
void svc__process_metrics_register(struct metrics *m);

#endif
