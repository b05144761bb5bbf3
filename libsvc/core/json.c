/* JSON in and out, by jansson. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <svc/json.h>

#include "libsvc/core/json_writer.h"
#include "libsvc/core/response_internal.h"
#include "libsvc/proto/media.h"

/* The deepest nesting of arrays and objects in a text, without parsing it: jansson's parser
 * recurses, so the limit must be known before it runs. Brackets in strings do not count. */
static size_t nesting(struct bytes text)
{
    size_t depth = 0, deepest = 0;
    bool string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
        } else if (c == '"') {
            string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > deepest)
                deepest = depth;
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
    }
    return deepest;
}

static void release_json(void *json)
{
    json_decref(json);
}

static bool media_type_accepted(svc_request *req, svc_response *res)
{
    const char *type = svc_request_header(req, "Content-Type");
    if (type && svc__media_is_json(svc__bytes_z(type)))
        return true;
    svc_response_problem(res, 415, "the body must be JSON, with a Content-Type that says so");
    return false;
}

/* Answers for a body that can be told to be bad without parsing it. */
static bool worth_parsing(svc_request *req, svc_response *res)
{
    uint64_t max_depth = req->owner->config.max_json_depth;
    char detail[64];
    if (req->body.len == 0) {
        svc_response_problem(res, 400, "the body is empty where JSON is expected");
        return false;
    }
    if (memchr(req->body.data, '\0', req->body.len)) { /* which jansson takes behind a number */
        svc_response_problem(res, 400, "the body holds a NUL, which JSON has not");
        return false;
    }
    if (nesting(req->body) > max_depth) {
        snprintf(detail, sizeof detail, "JSON nested deeper than %llu levels",
                 (unsigned long long)max_depth);
        svc_response_problem(res, 400, detail);
        return false;
    }
    return true;
}

/* Without a line there is no syntax at fault: jansson has run out of memory. */
static void answer_unparsed(svc_response *res, const json_error_t *error)
{
    char detail[JSON_ERROR_TEXT_LENGTH + 64];
    if (error->line < 0) {
        svc_response_problem(res, 503, "out of memory");
        return;
    }
    snprintf(detail, sizeof detail, "line %d, column %d: %s", error->line, error->column,
             error->text);
    svc_response_problem(res, 400, detail);
}

static json_t *parse(svc_request *req, svc_response *res)
{
    if (!worth_parsing(req, res))
        return NULL;
    json_error_t error;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_t *json = json_loadb(req->body.data, req->body.len, flags, &error);
    if (!json)
        answer_unparsed(res, &error);
    return json;
}

json_t *svc_request_json(svc_request *req, svc_response *res)
{
    if (req->json)
        return req->json;
    if (!media_type_accepted(req, res))
        return NULL;
    json_t *json = parse(req, res);
    if (json && svc_request_cleanup(req, release_json, json)) {
        json_decref(json);
        svc_response_problem(res, 500, NULL);
        return NULL;
    }
    req->json = json;
    return json;
}

static int dump_to_buf(const char *data, size_t len, void *out)
{
    svc__buf_append(out, data, len);
    return svc__buf_error(out) ? -1 : 0;
}

/* Compact, and any value, not only objects and arrays. 0, or the buffer's error, or SVC_EINVAL. */
static int dump(const json_t *json, struct buf *out)
{
    int failed = json_dump_callback(json, dump_to_buf, out, JSON_COMPACT | JSON_ENCODE_ANY);
    int error = svc__buf_error(out);
    return error || !failed ? error : SVC_EINVAL;
}

void svc_json_put_jansson(svc_json_writer *w, const char *key, const json_t *json)
{
    struct buf *out = svc__json_writer_value(w, key);
    int error = out ? dump(json, out) : 0;
    if (error)
        svc__json_writer_fail(w, error);
}

int svc_response_json_take(svc_response *res, int status, json_t *json)
{
    if (!res || !json) {
        json_decref(json);
        return res ? SVC_EINVAL : SVC_ENOMEM;
    }
    struct buf *out = svc__response_scratch(res);
    int error = dump(json, out);
    json_decref(json);
    if (!error)
        error = svc__response_rendered(res, status, "application/json", out);
    svc__response_scratch_done(res);
    return error;
}

int svc_response_json(svc_response *res, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_error_t error;
    json_t *json = json_vpack_ex(&error, 0, format, arguments);
    va_end(arguments);
    if (!json)
        return json_error_code(&error) == json_error_out_of_memory ? SVC_ENOMEM : SVC_EINVAL;
    return svc_response_json_take(res, status, json);
}
