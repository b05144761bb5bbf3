/* The counters of a plan. */
#include "libsvc/exchange/plan_counts.h"

#include <svc/errors.h>

#include "libsvc/metrics/metric.h"

/* A counter with one label, whose values are known. */
static int register_by_label(struct metrics *in, const char *name, const char *help,
                             const char *label, size_t count, const char *const values[],
                             svc_counter *out[])
{
    svc_counter_family *family = svc__metric_counters(in, name, help, label);
    for (size_t i = 0; i < count; i++) {
        out[i] = svc_counter_of(family, 1, &values[i]);
        if (!out[i])
            return SVC_ENOMEM;
    }
    return 0;
}

#define LABEL(name, label) label,

int svc__plan_counts_register(struct plan_counts *counts, struct metrics *in)
{
    static const char *const shed[] = {SHED_LIST(LABEL)}, *const over[] = {OVER_LIST(LABEL)},
                             *const conditional[] = {CONDITIONAL_LIST(LABEL)};
    static const double bounds[] = {0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5};
    int error = register_by_label(in, "svc_requests_shed_total",
                                  "Requests refused because of load, before they were served.",
                                  "reason", SHED_REASONS, shed, counts->shed);
    if (!error)
        error = register_by_label(in, "svc_requests_over_limit_total",
                                  "Requests refused because a part of them is over its limit.",
                                  "limit", OVER_LIMITS, over, counts->over);
    if (!error)
        error = register_by_label(in, "svc_conditional_requests_total",
                                  "Requests with a condition, by what became of it.", "result",
                                  CONDITIONAL_RESULTS, conditional, counts->conditional);
    counts->worker_waits = svc__metric_histograms(
        in, "svc_worker_wait_seconds", "From the hand-over of work to a worker's begin with it.",
        "http_route", bounds, sizeof bounds / sizeof *bounds);
    return error || counts->worker_waits ? error : SVC_ENOMEM;
}

#undef LABEL

void svc__plan_counts_shed(const struct plan_counts *counts, enum shed_reason reason)
{
    svc__counter_add(counts->shed[reason], 1);
}

void svc__plan_counts_over(const struct plan_counts *counts, int status)
{
    if (status == 413)
        svc__counter_add(counts->over[OVER_BODY], 1);
    else if (status == 414)
        svc__counter_add(counts->over[OVER_TARGET], 1);
    else if (status == 431)
        svc__counter_add(counts->over[OVER_HEAD], 1);
}

void svc__plan_counts_conditional(const struct plan_counts *counts, enum conditional_result result)
{
    svc__counter_add(counts->conditional[result], 1);
}
