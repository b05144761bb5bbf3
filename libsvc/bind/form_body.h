/* Reads a request's body as a form: its type, its limits and its texts are checked here. */
#ifndef SVC_BIND_FORM_BODY_H
#define SVC_BIND_FORM_BODY_H

#include <svc/form.h>

#include "libsvc/proto/query.h"

/*
 * Reads the body as application/x-www-form-urlencoded, within the limits. The parameters and their
 * texts belong to the request's arena. False when `res` holds the answer: 415, 400, 413 or 503, as
 * svc/form.h has them. The request's thread.
 */
bool svc__form_body_read(svc_request *req, svc_response *res, const svc_form_options *limits,
                         struct param **out, size_t *count);

#endif
