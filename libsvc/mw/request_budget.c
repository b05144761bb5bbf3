/* Budgets that callers send: a request whose caller gives up earlier has an earlier deadline. */
#include "libsvc/base/clock.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/mw/stack.h"
#include "libsvc/proto/budget.h"

#define NO_BUDGET UINT64_MAX

/* The least of `least` and the budgets in the fields of that name. Malformed fields are ignored. */
static uint64_t least_of(const svc_request *req, enum field_name name,
                         int (*parse)(struct bytes text, uint64_t *ms), uint64_t least)
{
    const struct field *field = NULL;
    while ((field = svc__fields_each(&req->fields, field, name))) {
        uint64_t ms;
        if (!parse(field->value, &ms) && ms < least)
            least = ms;
    }
    return least;
}

static int take_budget(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    uint64_t ms = least_of(req, FIELD_X_REQUEST_TIMEOUT, svc__budget_parse, NO_BUDGET);
    ms = least_of(req, FIELD_GRPC_TIMEOUT, svc__budget_parse_grpc, ms);
    if (ms >= (req->deadline_ns - req->started_ns) / 1000000)
        return SVC_PASS;
    req->deadline_ns = req->started_ns + ms * 1000000;
    if (svc__clock_ns() < req->deadline_ns)
        return SVC_PASS;
    int error = svc_response_problem(res, 504, "the caller's time for the request is over");
    return error ? error : SVC_ANSWERED;
}

const svc_middleware *svc__request_budget_make(svc_app *app)
{
    static const svc_middleware middleware = {
        .size = sizeof middleware,
        .name = "request_budget",
        .on_request = take_budget,
    };
    (void)app;
    return &middleware;
}
