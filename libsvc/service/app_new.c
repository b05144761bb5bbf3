/* The public constructor: an app with the default stack on it. */
#include "libsvc/app/app_internal.h"
#include "libsvc/mw/stack.h"
#include "libsvc/ops/status_page.h"

/* The layers, outermost first. The request's id may be that of the trace; the log and the metrics
 * see both ids, and the answers of all later layers. */
static const struct default_layer stack[] = {
    {offsetof(svc_config, trace_context), svc__trace_context_make},
    {offsetof(svc_config, request_id), svc__request_id_make},
    {offsetof(svc_config, access_log), svc__access_log_make},
    {offsetof(svc_config, metrics), svc__http_metrics_make},
    {offsetof(svc_config, request_budget), svc__request_budget_make},
};

svc_app *svc_app_new(const char *name)
{
    svc_app *app = svc__app_create(name ? name : "service", stack, sizeof stack / sizeof *stack);
    if (app)
        app->add_debug_pages = svc__status_page_add;
    return app;
}
