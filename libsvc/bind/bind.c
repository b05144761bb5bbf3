/* Binds a request's body, query and path to a struct. */
#include "libsvc/bind/bind.h"

#include "libsvc/bind/bind_json.h"
#include "libsvc/bind/bind_text.h"
#include "libsvc/bind/form_body.h"
#include "libsvc/exchange/request_internal.h"
#include "libsvc/proto/media.h"

/* Answers 500 or 503 when a binding fails through no fault of the client. */
static bool give_up(svc_response *res, int status)
{
    svc_response_problem(res, status, status == 503 ? "out of memory" : NULL);
    return false;
}

/* Begins a binding. False when it failed and the response has the answer. */
static bool begin(struct binding *b, svc_request *req, svc_response *res, const svc_schema *schema,
                  bool text)
{
    if (!schema || (text && schema->root->nested))
        return give_up(res, 500);
    if (!req || svc__binding_begin(b, schema, &svc__exchange_of(req)->arena))
        return give_up(res, 503);
    return true;
}

static bool end(const struct binding *b, svc_response *res, void *out)
{
    if (svc__binding_end(b, out))
        return true;
    if (b->violations.no_memory || svc__violations_answer(res, &b->violations))
        give_up(res, 503);
    return false;
}

static bool refuse(svc_response *res, int status, const char *detail)
{
    svc_response_problem(res, status, detail);
    return false;
}

static bool bind_form(struct binding *b, svc_request *req, svc_response *res)
{
    static const svc_form_options limits = SVC_FORM_OPTIONS_INIT;
    struct param *params;
    size_t count;
    if (!svc__form_body_read(req, res, &limits, &params, &count))
        return false;
    svc__bind_text(b, params, count);
    return true;
}

/* Where a form is allowed too, a body that is neither JSON nor a form is answered 415. */
static bool bind_either(struct binding *b, svc_request *req, svc_response *res)
{
    struct bytes type = svc__fields_value(&req->fields, FIELD_CONTENT_TYPE);
    if (svc__media_is_form(type))
        return bind_form(b, req, res);
    if (svc__media_is_json(type))
        return svc__bind_json_body(b, req, res);
    return refuse(res, 415, "the body must be JSON or a form, with a Content-Type that says so");
}

bool svc_request_bind(svc_request *req, svc_response *res, const svc_schema *schema, void *out)
{
    struct binding b;
    if (!res || !begin(&b, req, res, schema, false))
        return false;
    bool read = schema->flags & SVC_SCHEMA_FORM ? bind_either(&b, req, res)
                                                : svc__bind_json_body(&b, req, res);
    return read && end(&b, res, out);
}

bool svc__bind_params(svc_request *req, svc_response *res, const svc_schema *schema,
                      const struct param *params, size_t count, void *out)
{
    struct binding b;
    if (!begin(&b, req, res, schema, true))
        return false;
    svc__bind_text(&b, params, count);
    return end(&b, res, out);
}

bool svc_request_bind_query(svc_request *req, svc_response *res, const svc_schema *schema,
                            void *out)
{
    if (!res)
        return false;
    if (req && svc__request_parse_query(req))
        return give_up(res, 503);
    return svc__bind_params(req, res, schema, req ? req->query : NULL, req ? req->query_count : 0,
                            out);
}

bool svc_request_bind_path(svc_request *req, svc_response *res, const svc_schema *schema, void *out)
{
    struct binding b;
    struct param params[PATTERN_MAX_PARAMS];
    if (!res || !begin(&b, req, res, schema, true))
        return false;
    for (size_t i = 0; i < req->match.count; i++)
        params[i] = (struct param){req->match.params[i].name, svc__bytes_z(req->params[i]), true};
    b.lenient = true;
    svc__bind_text(&b, params, req->match.count);
    if (b.violations.no_memory)
        return give_up(res, 503);
    return svc__binding_end(&b, out) || refuse(res, 404, NULL);
}
