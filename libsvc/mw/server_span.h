/* The span of a request as OpenTelemetry's conventions for HTTP servers describe it. */
#ifndef SVC_MW_SERVER_SPAN_H
#define SVC_MW_SERVER_SPAN_H

#include <svc/middleware.h>

#include "libsvc/proto/trace.h"

/* Describes the request's own span and hands it over, if it is sampled, or has failed and is wanted
 * then. `from`: the span to link it to, or NULL. For an app with an exporter. */
void svc__server_span_end(svc_request *req, const svc_response *res, const svc_done *done,
                          const struct trace *from);

#endif
