/* Problem details with members of the occurrence's own, out of jansson's hands. */
#include <jansson.h>

#include <svc/json.h>

#include "libsvc/exchange/problem.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/json/json_tree.h"
#include "libsvc/proto/problem_text.h"

/* The members that RFC 9457 3.1 names come first, then the occurrence's own. */
static json_t *merge_members(int status, const char *detail, json_t *members)
{
    json_t *problem =
        json_pack("{s:s, s:i}", "title", svc__problem_text_title(status), "status", status);
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
    json_t *problem = merge_members(status, detail, members);
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
