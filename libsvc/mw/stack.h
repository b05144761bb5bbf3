/* The layers of the default stack. Each is made for one app, when the app is readied. */
#ifndef SVC_MW_STACK_H
#define SVC_MW_STACK_H

#include <svc/middleware.h>

/* Trace context: continues the trace that a request brings, or begins one. */
const svc_middleware *svc__trace_context_make(svc_app *app);

/* Request ids: accepts a well-formed inbound X-Request-Id or makes one, and echoes it. */
const svc_middleware *svc__request_id_make(svc_app *app);

/* The access log: one line a request. NULL when out of memory. */
const svc_middleware *svc__access_log_make(svc_app *app);

/* Request counters and durations, in the app's metrics. NULL when out of memory. */
const svc_middleware *svc__http_metrics_make(svc_app *app);

/* Budgets: an inbound X-Request-Timeout or grpc-timeout shortens the deadline. */
const svc_middleware *svc__request_budget_make(svc_app *app);

/* Ranges: a part of the reply, or several, where the request asks for that. */
const svc_middleware *svc__ranges_make(svc_app *app);

#endif
