/* Reads a request's body as a form: its type, its limits and its texts are checked here. */
#include "libsvc/bind/form_body.h"

#include <stdio.h>

#include <svc/response.h>

#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/request_internal.h"
#include "libsvc/proto/media.h"
#include "libsvc/proto/uri.h"

static bool refuse_form(svc_response *res, int status, const char *detail)
{
    svc_response_problem(res, status, detail);
    return false;
}

static bool refuse_size(svc_response *res, size_t most, const char *what)
{
    char detail[80];
    snprintf(detail, sizeof detail, "the form has more than %zu %s", most, what);
    return refuse_form(res, 413, detail);
}

bool svc__form_body_read(svc_request *req, svc_response *res, const svc_form_options *limits,
                         struct param **out, size_t *count)
{
    struct bytes type = svc__fields_value(&req->fields, FIELD_CONTENT_TYPE);
    if (!svc__media_is_form(type))
        return refuse_form(res, 415,
                           "the body must be a form, application/x-www-form-urlencoded in UTF-8, "
                           "with a Content-Type that says so");
    if (!svc__request_accept_coding(req, res))
        return false;
    if (req->body.len > limits->max_bytes)
        return refuse_size(res, limits->max_bytes, "bytes");
    if (!svc__uri_escapes_valid(req->body))
        return refuse_form(res, 400, "the form has a '%' without two hexadecimal digits behind it");
    if (!svc__query_valid(req->body, true))
        return refuse_form(res, 400, "a form value is not valid UTF-8, or holds NUL");
    int error =
        svc__query_parse(&svc__exchange_of(req)->arena, req->body, limits->max_fields, out, count);
    if (error == SVC_ETOOBIG)
        return refuse_size(res, limits->max_fields, "fields");
    if (error)
        svc_response_problem(res, REFUSAL_NO_MEMORY);
    return !error;
}
