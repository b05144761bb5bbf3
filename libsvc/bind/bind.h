/* Binds texts that were parsed elsewhere, such as the fields of a form. */
#ifndef SVC_BIND_BIND_INTERNAL_H
#define SVC_BIND_BIND_INTERNAL_H

#include <svc/bind.h>

#include "libsvc/proto/query.h"

/*
 * Binds parameters to the struct `out`, as svc_request_bind_query does those of the query. Their
 * texts are UTF-8 without NUL (svc__utf8_text), end in a NUL, and live as long as the request.
 * False when `res`, which is not NULL, holds the answer. The request's thread.
 */
bool svc__bind_params(svc_request *req, svc_response *res, const svc_schema *schema,
                      const struct param *params, size_t count, void *out);

#endif
