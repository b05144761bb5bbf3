/* The counters of a server. */
#include "libsvc/server/server_metrics.h"

#include <svc/errors.h>

#include "libsvc/metrics/metric.h"
#include "libsvc/server/front.h"

#define LABEL(name, label) label,

static svc_counter *add_counter(const struct server_metrics *m, const char *name, const char *help)
{
    svc_counter_family *family = svc__metric_counters(m->in, name, help, "listener");
    return svc_counter_of(family, 1, &m->listener);
}

/* One whose second label has known values. Whether all series could be made. */
static bool add_counters(const struct server_metrics *m, const char *name, const char *help,
                         const char *labels, size_t count, const char *const values[],
                         svc_counter *out[])
{
    svc_counter_family *family = svc__metric_counters(m->in, name, help, labels);
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        out[i] = svc_counter_of(family, 2, (const char *[]){m->listener, values[i]});
        whole = whole && out[i];
    }
    return whole;
}

static svc_counter *accepted_by(const struct server_metrics *m, const struct front *front)
{
    return svc_counter_of(m->accepted, 2, (const char *[]){m->listener, front->name});
}

void svc__server_metrics_accepted(const struct server_metrics *m, const struct front *front)
{
    svc__counter_add(accepted_by(m, front), 1);
}

static bool add_accepted(struct server_metrics *m, const struct front *const *fronts)
{
    m->accepted = svc__metric_counters(m->in, "svc_connections_accepted_total",
                                       "Connections accepted.", "listener,front");
    bool whole = true;
    for (const struct front *const *front = fronts; *front; front++)
        whole = accepted_by(m, *front) && whole;
    return whole;
}

int svc__server_metrics_register(struct server_metrics *m, const struct front *const *fronts)
{
    static const char *const refused[] = {REFUSED_LIST(LABEL)}, *const timed_out[] = {
                                                                    TIMED_OUT_LIST(LABEL)};
    static const double lag_bounds[] = {0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};
    bool whole = add_accepted(m, fronts);
    whole = add_counters(m, "svc_connections_refused_total",
                         "Connections answered 503 or 429, or closed, over a limit.",
                         "listener,reason", REFUSED_REASONS, refused, m->refused) &&
            whole;
    whole = add_counters(m, "svc_connections_timed_out_total",
                         "Connections that a deadline ended in mid-request.", "listener,phase",
                         TIMED_OUT_PHASES, timed_out, m->timed_out) &&
            whole;
    m->accept_errors = add_counter(m, "svc_accept_errors_total", "Times that accepting failed.");
    m->refused_below = add_counter(m, "svc_requests_refused_below_total",
                                   "Requests that were refused before they were one.");
    m->faults = add_counter(m, "svc_loop_faults_total",
                            "System calls of event loops that failed: wake-ups, watches, and "
                            "what libmicrohttpd takes a connection by.");
    m->lingering_full =
        add_counter(m, "svc_lingering_full_total", "Closes that found no room to linger.");
    m->lag = svc_histogram_of(
        svc__metric_histograms(m->in, "svc_loop_lag_seconds",
                               "How late a timer of an event loop was, ten times a second while "
                               "the loop is active.",
                               "listener", lag_bounds, sizeof lag_bounds / sizeof *lag_bounds),
        1, &m->listener);
    whole = whole && m->accept_errors && m->refused_below && m->faults && m->lingering_full;
    return whole && m->lag ? 0 : SVC_ENOMEM;
}

#undef LABEL
