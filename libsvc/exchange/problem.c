/* Errors in one form, the library's own and the handlers': problem details (RFC 9457). */
#include "libsvc/exchange/problem.h"

#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/vary.h"
#include "libsvc/proto/media.h"
#include "libsvc/proto/problem_text.h"

int svc__problem_negotiate(svc_response *res, bool *json)
{
    const svc_request *req = &res->exchange->request;
    *json = svc__media_accepts_json(&req->fields);
    return svc__vary_merge(res, svc__bytes_z("Accept"));
}

int svc__problem_answer(svc_response *res, int status,
                        void (*render)(struct buf *out, bool json, const void *error),
                        const void *error)
{
    bool json;
    int code = svc__problem_negotiate(res, &json);
    if (code)
        return code;
    struct buf *out = svc__response_scratch(res);
    render(out, json, error);
    const char *type = json ? "application/problem+json" : "text/plain; charset=utf-8";
    code = svc__response_rendered(res, status, type, out);
    svc__response_scratch_done(res);
    return code;
}

struct plain_problem {
    int status;
    const char *detail;
};

static void render_plain(struct buf *out, bool json, const void *error)
{
    const struct plain_problem *problem = error;
    if (json)
        svc__problem_text_json(out, problem->status, problem->detail);
    else
        svc__problem_text_plain(out, problem->status, problem->detail);
}

int svc_response_problem(svc_response *res, int status, const char *detail)
{
    if (!res)
        return SVC_ENOMEM;
    if (status < 400 || status > 599)
        return SVC_EINVAL;
    return svc__problem_answer(res, status, render_plain, &(struct plain_problem){status, detail});
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
