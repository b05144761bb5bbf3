/* Each series is made at the start, so that Prometheus sees it as 0 before its first event. */
#include "metrics.h"

static void register_results(svc_app *app, const char *name, const char *help,
                             const char *const *results, size_t count, svc_counter **series)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = name;
    metric.help = help;
    metric.labels[0] = "result";
    svc_counter_family *family = svc_app_counter(app, &metric);
    for (size_t i = 0; i < count; i++)
        series[i] = svc_counter_of(family, 1, &results[i]);
}

void metrics_register(struct metrics *metrics, svc_app *app)
{
    static const char *const links[LINKS_RESULTS] = {[LINKS_CREATED] = "created",
                                                     [LINKS_REPEATED] = "repeated",
                                                     [LINKS_REFUSED] = "refused",
                                                     [LINKS_FAILED] = "failed"};
    static const char *const redirects[REDIRECT_RESULTS] = {
        [REDIRECT_FOUND] = "found", [REDIRECT_UNKNOWN] = "unknown", [REDIRECT_FAILED] = "failed"};
    register_results(app, "shortener_links_total", "Requests to make a link, by their result.",
                     links, LINKS_RESULTS, metrics->links);
    register_results(app, "shortener_redirects_total", "Links that were followed, by the result.",
                     redirects, REDIRECT_RESULTS, metrics->redirects);
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "shortener_clicks_lost_total";
    metric.help = "Redirects that could not be counted in the store.";
    metrics->lost = svc_counter_of(svc_app_counter(app, &metric), 0, NULL);
}
