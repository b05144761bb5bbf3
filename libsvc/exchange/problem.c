/* Errors in one form, the library's own and the handlers': problem details (RFC 9457). */
#include "libsvc/exchange/problem.h"

#include <string.h>

#include <svc/json.h>

#include "libsvc/cache/caching.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/json/json_tree.h"
#include "libsvc/proto/media.h"
#include "libsvc/proto/status.h"

static const char *title_of(int status)
{
    const char *title = svc__status_text(status);
    return title ? title : "Error";
}

static void render_json(struct buf *out, int status, const char *detail)
{
    svc__buf_puts(out, "{\"title\":");
    svc__buf_json_string(out, svc__bytes_z(title_of(status)));
    svc__buf_puts(out, ",\"status\":");
    svc__buf_u64(out, (uint64_t)status);
    if (detail) {
        svc__buf_puts(out, ",\"detail\":");
        svc__buf_json_string(out, svc__bytes_z(detail));
    }
    svc__buf_puts(out, "}\n");
}

static void render_text(struct buf *out, int status, const char *detail)
{
    svc__buf_puts(out, title_of(status));
    if (detail) {
        svc__buf_puts(out, ": ");
        svc__buf_utf8(out, svc__bytes_z(detail));
    }
    svc__buf_puts(out, "\n");
}

int svc__problem_negotiate(svc_response *res, bool *json)
{
    const svc_request *req = &res->exchange->request;
    *json = svc__media_accepts_json(&req->fields);
    return svc__caching_merge_vary(res, svc__bytes_z("Accept"));
}

int svc_response_problem(svc_response *res, int status, const char *detail)
{
    if (!res)
        return SVC_ENOMEM;
    if (status < 400 || status > 599)
        return SVC_EINVAL;
    bool json;
    int error = svc__problem_negotiate(res, &json);
    if (error)
        return error;
    struct buf *out = svc__response_scratch(res);
    if (json)
        render_json(out, status, detail);
    else
        render_text(out, status, detail);
    const char *type = json ? "application/problem+json" : "text/plain; charset=utf-8";
    error = svc__response_rendered(res, status, type, out);
    svc__response_scratch_done(res);
    return error;
}

int svc__response_refusal(svc_response *res, int status, struct bytes problem, struct bytes text)
{
    bool json;
    int error = svc__problem_negotiate(res, &json);
    if (error)
        return error;
    return json ? svc__response_constant(res, status, "application/problem+json", problem)
                : svc__response_constant(res, status, "text/plain; charset=utf-8", text);
}

/* The members that RFC 9457 3.1 names come first, then the occurrence's own. */
static json_t *merge(int status, const char *detail, json_t *members)
{
    json_t *problem = json_pack("{s:s, s:i}", "title", title_of(status), "status", status);
    if (!problem)
        return NULL;
    int error = detail ? json_object_set_new(problem, "detail", svc__json_tree_text(detail)) : 0;
    if (error || json_object_update(problem, members)) {
        svc__json_tree_free(problem);
        return NULL;
    }
    return problem;
}

int svc_response_problem_take(svc_response *res, int status, const char *detail, json_t *members)
{
    if (!res || status < 400 || status > 599 || !json_is_object(members)) {
        svc__json_tree_free(members);
        return res ? SVC_EINVAL : SVC_ENOMEM;
    }
    json_t *problem = merge(status, detail, members);
    svc__json_tree_free(members);
    if (!problem)
        return SVC_ENOMEM;
    bool json;
    int error = svc__problem_negotiate(res, &json);
    if (error || !json) {
        const char *text = json_string_value(json_object_get(problem, "detail"));
        error = error ? error : svc_response_problem(res, status, text);
        svc__json_tree_free(problem);
        return error;
    }
    error = svc_response_json_take(res, status, problem);
    return error ? error
                 : svc__response_put(res, svc__bytes_z("Content-Type"),
                                     svc__bytes_z("application/problem+json"));
}
