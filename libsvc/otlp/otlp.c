/* The calls of svc/otlp.h. */
#define SVC_LOG_MODULE "otlp"
#include <svc/otlp.h>

#include <string.h>

#include <svc/app.h>
#include <svc/sys/app.h>

#include "libsvc/otlp/otlp_export.h"

enum { FLUSH_MOST_MS = 600000 };

/* A struct of this release, or of a shorter one whose members these are. */
static bool read_options(svc_otlp *own, const svc_otlp *options)
{
    if (!options)
        return true;
    if (options->size < offsetof(svc_otlp, endpoint) || options->size > sizeof *own)
        return false;
    memcpy(own, options, options->size);
    own->size = sizeof *own;
    return own->flush_ms <= FLUSH_MOST_MS;
}

static void log_warnings(const struct otlp_export *otlp)
{
    const struct otlp_config *config = &otlp->config;
    for (size_t i = 0; i < config->warning_count; i++)
        svc_app_log_warn(otlp->app, "bad value of an environment variable",
                         svc_kv_str("name", config->warnings[i].name),
                         svc_kv_str("reason", config->warnings[i].reason));
}

static int start_export(svc_app *app, void *arg)
{
    struct otlp_export *otlp = arg;
    otlp->app = app;
    log_warnings(otlp);
    if (otlp->config.disabled)
        return 0;
    int error = svc__otlp_export_start(otlp);
    if (error)
        svc_app_log_error(app, "the exporter of spans cannot be started",
                          svc_kv_err("error", error));
    else
        svc_app_log_info(app, "spans are exported", svc_kv_str("url", otlp->config.shown_url));
    return error;
}

static void stop_export(svc_app *app, void *arg)
{
    struct otlp_export *otlp = arg;
    (void)app;
    if (otlp->http)
        svc__otlp_export_stop(otlp);
}

static bool sample_trace(void *arg, const unsigned char *trace_id, int parent)
{
    const struct otlp_export *otlp = arg;
    return svc__otlp_sample_decide(&otlp->config.sampler, trace_id, parent);
}

static int set_exporter(svc_app *app, struct otlp_export *otlp)
{
    svc_sys_exporter exporter = SVC_SYS_EXPORTER_INIT;
    exporter.arg = otlp;
    exporter.sample = sample_trace;
    exporter.take = svc__otlp_export_take;
    exporter.lose = svc__otlp_export_lose;
    exporter.keeps_failed = otlp->config.keep_failed;
    exporter.max_attributes = (size_t)otlp->config.max_attributes;
    exporter.max_links = (size_t)otlp->config.max_links;
    exporter.max_text = (size_t)otlp->config.max_text;
    return svc_sys_app_set_exporter(app, &exporter);
}

static svc_gauge *register_gauge(svc_app *app, const char *name, const char *help)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = name;
    metric.help = help;
    return svc_gauge_of(svc_app_gauge(app, &metric), 0, NULL);
}

/* A metric that cannot be registered is kept as a set-up error, and counts nothing. */
static void register_metrics(svc_app *app, struct otlp_export *otlp)
{
    static const char *const results[OTLP_RESULTS] = {"sent", "rejected", "failed", "dropped"};
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "otlp_spans_total";
    metric.help = "Spans that have ended, by what has become of them.";
    metric.labels[0] = "result";
    svc_counter_family *family = svc_app_counter(app, &metric);
    for (size_t i = 0; i < OTLP_RESULTS; i++)
        otlp->counters[i] = svc_counter_of(family, 1, &results[i]);
    otlp->queued = register_gauge(app, "otlp_spans_queued",
                                  "Spans that wait for the export, or are on their way.");
    svc_gauge_set(register_gauge(app, "otlp_spans_queue_max",
                                 "Spans that wait for the export, or are on their way, at most."),
                  (double)otlp->queue.most);
}

int svc_otlp_add(svc_app *app, const svc_otlp *options)
{
    svc_otlp own = SVC_OTLP_INIT;
    struct otlp_export *otlp = svc_sys_app_alloc(app, sizeof *otlp);
    if (!otlp)
        return svc_sys_app_refuse(app, SVC_ENOMEM, "svc_otlp_add");
    if (!read_options(&own, options))
        return svc_sys_app_refuse(app, SVC_EINVAL, "svc_otlp_add");
    int error = svc__otlp_config_read(&otlp->config, app, &own);
    if (error)
        return svc_sys_app_refuse(app, error, "svc_otlp_add");
    otlp->queue.most = (size_t)otlp->config.queue_max;
    if (otlp->config.disabled)
        return svc_app_add_hook(app, start_export, NULL, otlp);
    register_metrics(app, otlp);
    error = set_exporter(app, otlp);
    return error ? error : svc_app_add_hook(app, start_export, stop_export, otlp);
}

int svc_otlp_read_counts(const svc_app *app, svc_otlp_counts *counts)
{
    if (!app)
        return SVC_ENOMEM;
    if (!counts || counts->size < sizeof counts->size || counts->size > sizeof *counts)
        return SVC_EINVAL;
    const svc_sys_exporter *exporter = svc_sys_app_exporter(app);
    if (!exporter || exporter->take != svc__otlp_export_take)
        return SVC_ENOTFOUND;
    struct otlp_export *otlp = exporter->arg;
    /* Before the others: a span that is not queued any more is counted among them. */
    size_t queued = atomic_load_explicit(&otlp->queue.count, memory_order_acquire);
    const svc_otlp_counts now = {.size = counts->size,
                                 .sent = atomic_load(&otlp->counts[OTLP_SENT]),
                                 .rejected = atomic_load(&otlp->counts[OTLP_REJECTED]),
                                 .failed = atomic_load(&otlp->counts[OTLP_FAILED]),
                                 .dropped = atomic_load(&otlp->counts[OTLP_DROPPED]),
                                 .queued = queued};
    memcpy(counts, &now, counts->size);
    return 0;
}
