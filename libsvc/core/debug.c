/* What replies tell in development mode. */
#include "libsvc/core/debug.h"

#include <stdio.h>

#include <svc/json.h>

enum { MAX_DETAIL = 512, MAX_ROUTES = 1000 };

const char *svc__debug_failure(struct exchange *x, const char *who, int error)
{
    const char *name = svc_error_name(error), *route = svc_request_route(&x->request);
    if (!x->request.app->config.development)
        return NULL;
    char *text = svc__arena_alloc(&x->arena, MAX_DETAIL);
    if (!text)
        return NULL;
    if (error)
        snprintf(text, MAX_DETAIL, "%s of \"%s\" returned %s: %s", who, route,
                 name ? name : "an unknown code", svc_error_text(error));
    else
        snprintf(text, MAX_DETAIL, "%s of \"%s\" returned without an answer", who, route);
    return text;
}

/* The first so many routes, each with where it was registered. */
static json_t *list_routes(const svc_app *app)
{
    json_t *routes = json_array();
    size_t left = MAX_ROUTES;
    for (const struct route *route = app->routes; route && left > 0; route = route->next, left--)
        json_array_append_new(routes, json_sprintf("%s (%s:%d)", route->pattern.text,
                                                   route->pattern.file, route->pattern.line));
    return routes;
}

int svc__debug_answer_routes(svc_request *req, svc_response *res)
{
    json_t *members = json_pack("{s:o}", "routes", list_routes(req->app));
    return members ? svc_response_problem_take(res, 404, "no route matches", members) : SVC_ENOMEM;
}
