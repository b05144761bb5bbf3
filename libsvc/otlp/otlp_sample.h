/* Which traces are sampled: OpenTelemetry's samplers. */
#ifndef SVC_OTLP_OTLP_SAMPLE_H
#define SVC_OTLP_OTLP_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

struct otlp_sampler {
    bool by_parent; /* a caller's decision goes before the ratio */
    uint64_t bound; /* of 2^63: the share of the others that is sampled */
};

/* The sampler of that name, with its argument, which may be NULL. 0, or SVC_EINVAL for a name that
 * is none, or SVC_ESYNTAX for an argument that is no ratio from 0 to 1: `*sampler` is then as it
 * was. */
int svc__otlp_sample_read(struct otlp_sampler *sampler, const char *name, const char *argument);

/* Whether a trace is sampled; `parent` is an svc_sys_parent. Any thread. */
bool svc__otlp_sample_decide(const struct otlp_sampler *sampler, const unsigned char *trace_id,
                             int parent);

#endif
