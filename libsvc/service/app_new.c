/* The public constructor: an app with the default stack on it. */
#include "libsvc/app/app_internal.h"
#include "libsvc/mw/stack.h"

/* The layers, outermost first. The request's id may be that of the trace; the log and the metrics
 * see both ids, and the answers of all later layers. Ranges come last of these, and so after all
 * layers of the service: they cut the reply that is sent. */
static const struct default_layer stack[] = {
    {offsetof(svc_config, trace_context), svc__trace_context_make},
    {offsetof(svc_config, request_id), svc__request_id_make},
    {offsetof(svc_config, access_log), svc__access_log_make},
    {offsetof(svc_config, metrics), svc__http_metrics_make},
    {offsetof(svc_config, request_budget), svc__request_budget_make},
    {offsetof(svc_config, ranges), svc__ranges_make},
};

svc_app *svc_app_new(const char *name)
{
    return svc__app_create(name ? name : "service", stack, sizeof stack / sizeof *stack);
}
