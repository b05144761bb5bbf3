/* JSON in and out, by jansson. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <svc/json.h>

#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/request_internal.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/json/json_parse.h"
#include "libsvc/json/json_tree.h"
#include "libsvc/json/json_writer.h"
#include "libsvc/proto/media.h"

static void release_json(void *json)
{
    svc__json_tree_free(json);
}

static bool media_type_accepted(svc_request *req, svc_response *res)
{
    if (svc__media_is_json(svc__fields_value(&req->fields, FIELD_CONTENT_TYPE)))
        return true;
    svc_response_problem(res, 415, "the body must be JSON, with a Content-Type that says so");
    return false;
}

static void answer_unparsed(svc_response *res, const struct json_fault *fault)
{
    char detail[160];
    if (!fault->reason) {
        svc_response_problem(res, REFUSAL_NO_MEMORY);
        return;
    }
    snprintf(detail, sizeof detail, "line %zu, column %zu: %s", fault->line, fault->column,
             fault->reason);
    svc_response_problem(res, 400, detail);
}

static json_t *parse(svc_request *req, svc_response *res)
{
    unsigned max_depth = (unsigned)req->owner->config->max_json_depth;
    struct json_fault fault;
    struct buf scratch;
    if (req->body.len == 0) {
        svc_response_problem(res, 400, "the body is empty where JSON is expected");
        return NULL;
    }
    svc__response_scratch_take(res, &scratch);
    size_t ceiling = scratch.ceiling;
    scratch.ceiling = PTRDIFF_MAX / 2; /* a body under its limit may be one string */
    json_t *json =
        svc__json_parse(req->body, max_depth, &svc__exchange_of(req)->arena, &scratch, &fault);
    scratch.ceiling = ceiling;
    svc__response_scratch_give(res, &scratch);
    if (!json)
        answer_unparsed(res, &fault);
    return json;
}

json_t *svc_request_json(svc_request *req, svc_response *res)
{
    if (!res) /* of svc_response_new, when memory has run out */
        return NULL;
    if (req->json)
        return req->json;
    if (!media_type_accepted(req, res))
        return NULL;
    if (!svc__request_accept_coding(req, res))
        return NULL;
    json_t *json = parse(req, res);
    if (json && svc_request_add_cleanup(req, release_json, json)) {
        release_json(json);
        svc_response_problem(res, 500, NULL);
        return NULL;
    }
    req->json = json;
    return json;
}

void svc_json_put_jansson(svc_json_writer *w, const char *key, const json_t *json)
{
    struct buf *out = svc__json_writer_value(w, key);
    int error = out ? svc__json_tree_write(out, json) : 0;
    if (error)
        svc__json_writer_fail(w, error);
}

int svc_response_json_take(svc_response *res, int status, json_t *json)
{
    if (!res || !json) {
        svc__json_tree_free(json);
        return res ? SVC_EINVAL : SVC_ENOMEM;
    }
    struct buf *out = svc__response_scratch(res);
    int error = svc__json_tree_write(out, json);
    svc__json_tree_free(json);
    if (!error)
        error = svc__response_rendered(res, status, "application/json", out);
    svc__response_scratch_done(res);
    return error;
}

/* Keeps jansson's reason for the log line: the error code alone does not name the mistake. */
static void note_cause(svc_response *res, const char *format, const json_error_t *error)
{
    enum { SIZE = 320, SHOWN = 100 /* of the format */ };
    char *text = svc__arena_alloc(&res->exchange->arena, SIZE);
    if (text)
        snprintf(text, SIZE, "svc_response_json: %s, at offset %d of \"%.*s\"", error->text,
                 error->position, SHOWN, format);
    res->exchange->cause = text;
}

int svc_response_json(svc_response *res, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_error_t error;
    json_t *json = json_vpack_ex(&error, 0, format, arguments);
    va_end(arguments);
    if (json)
        return svc_response_json_take(res, status, json);
    if (!res || json_error_code(&error) == json_error_out_of_memory)
        return SVC_ENOMEM;
    note_cause(res, format, &error);
    return SVC_EINVAL;
}
