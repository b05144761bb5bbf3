/* Each series is made at the start, so that Prometheus sees it as 0 before its first event. */
#include "metrics.h"

static void register_uploads(struct metrics *metrics, svc_app *app)
{
    static const char *const results[UPLOAD_RESULTS] = {
        [UPLOAD_CREATED] = "created",     [UPLOAD_KNOWN] = "known",   [UPLOAD_FULL] = "full",
        [UPLOAD_BUSY] = "busy",           [UPLOAD_BROKEN] = "broken", [UPLOAD_FAILED] = "failed",
        [UPLOAD_TOO_LARGE] = "too_large",
    };
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "reports_uploads_total";
    metric.help = "Uploads, by their result.";
    metric.labels[0] = "result";
    svc_counter_family *family = svc_app_counter(app, &metric);
    for (int i = 0; i < UPLOAD_RESULTS; i++)
        metrics->uploads[i] = svc_counter_of(family, 1, &results[i]);
}

static void register_made(struct metrics *metrics, svc_app *app)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "reports_made_total";
    metric.help = "Reports that were made, by their result.";
    metric.labels[0] = "result";
    svc_counter_family *family = svc_app_counter(app, &metric);
    metrics->ready = svc_counter_of(family, 1, (const char *[]){"ready"});
    metrics->failed = svc_counter_of(family, 1, (const char *[]){"failed"});
}

static void register_making(struct metrics *metrics, svc_app *app)
{
    static const double bounds[] = {0.001, 0.01, 0.1, 0.5, 2.5, 10, 60, 600};
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "reports_making_seconds";
    metric.help = "The time to make a report.";
    metric.bounds = bounds;
    metric.bound_count = sizeof bounds / sizeof *bounds;
    metrics->making = svc_histogram_of(svc_app_histogram(app, &metric), 0, NULL);
}

void metrics_register(struct metrics *metrics, svc_app *app, double (*count_waiting)(void *arg),
                      void *arg)
{
    register_uploads(metrics, app);
    register_made(metrics, app);
    register_making(metrics, app);
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "reports_waiting";
    metric.help = "Reports that wait to be made.";
    svc_app_gauge_fn(app, &metric, count_waiting, arg);
}
